/* SPDX-License-Identifier: MIT */
/*
 * compat_cftext.c - strings and data
 *
 * Never on the realtime path but to read. The bytes of data are an allocator's, and go
 * back there; those of a string are the library's own.
 */
#include <string.h>

#include "os/base.h"
#include "compat_cf.h"

#define CF_ASCII 0x0600u
#define CF_UTF8	 0x08000100u

struct rtm_cf_string {
	struct cf_object object;
	char *text; /* ends with NUL */
};

struct rtm_cf_data {
	struct cf_object object;
	unsigned char *bytes; /* NULL: there are none */
	long length;
	rtm_cf_allocator_ref from; /* retained */
};

/* ---- strings ---- */

static void cf_destroy_string(struct cf_object *o)
{
	je_free(((struct rtm_cf_string *)(void *)o)->text);
	cf_free(o);
}

rtm_cf_string_ref rtm_cf_string(
	rtm_cf_allocator_ref allocator, const char *text, uint32_t encoding)
{
	size_t size = text ? strlen(text) + 1 : 0;
	struct rtm_cf_string *s;

	(void)allocator;
	if (!text || (encoding != CF_ASCII && encoding != CF_UTF8))
		return NULL;
	s = cf_make(CF_STRING, sizeof(*s), cf_destroy_string);
	if (!s)
		return NULL;
	s->text = je_malloc(size);
	if (!s->text) {
		cf_free(&s->object);
		return NULL;
	}
	memcpy(s->text, text, size);
	return s;
}

const char *cf_text(const void *string, bool any)
{
	const size_t len = sizeof(RTM_CF_CONSTANT) - 1;

	if (cf_is(string, CF_STRING))
		return ((const struct rtm_cf_string *)string)->text;
	if (!string || cf_is_object(string) || (!any && !cf_is_constant(string)))
		return NULL;
	if (string == (const void *)RTM_CF_ALLOCATOR_NULL ||
		string == (const void *)RTM_CF_ALLOCATOR_MALLOC)
		return NULL;
	if (strncmp(string, RTM_CF_CONSTANT, len) == 0)
		return (const char *)string + len;
	return any ? string : NULL;
}

/* Each unit of UTF-8 but those that continue one is one of UTF-16; four bytes are two. */
long rtm_cf_string_length(rtm_cf_string_ref string)
{
	const char *s = cf_text(string, false);
	long n = 0;

	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;

		n += (c & 0xc0) != 0x80;
		n += c >= 0xf0;
	}
	return n;
}

const char *rtm_cf_string_text(rtm_cf_string_ref string, uint32_t encoding)
{
	return encoding == CF_ASCII || encoding == CF_UTF8 ? cf_text(string, false)
							   : NULL;
}

unsigned char rtm_cf_string_copy(
	rtm_cf_string_ref string, char *buffer, long size, uint32_t encoding)
{
	const char *text = rtm_cf_string_text(string, encoding);
	size_t need = text ? strlen(text) + 1 : 0;

	if (!text || !buffer || size < 0 || need > (size_t)size)
		return 0;
	memcpy(buffer, text, need);
	return 1;
}

/* ---- data ---- */

static void cf_destroy_data(struct cf_object *o)
{
	struct rtm_cf_data *d = (struct rtm_cf_data *)(void *)o;

	rtm_cf_deallocate(d->from, d->bytes);
	rtm_cf_release(d->from);
	cf_free(o);
}

static struct rtm_cf_data *cf_make_data(
	unsigned char *bytes, long length, rtm_cf_allocator_ref from)
{
	struct rtm_cf_data *d = cf_make(CF_DATA, sizeof(*d), cf_destroy_data);

	if (!d)
		return NULL;
	d->bytes = bytes;
	d->length = length;
	d->from = from;
	rtm_cf_retain(from);
	return d;
}

rtm_cf_data_ref rtm_cf_data(
	rtm_cf_allocator_ref allocator, const unsigned char *bytes, long length)
{
	unsigned char *copy = NULL;
	struct rtm_cf_data *d;

	if (length < 0 || (length && !bytes) || !cf_is_allocator(allocator))
		return NULL;
	if (length) {
		copy = rtm_cf_allocate(allocator, length, 0);
		if (!copy)
			return NULL;
		memcpy(copy, bytes, (size_t)length);
	}
	d = cf_make_data(copy, length, allocator);
	if (!d)
		rtm_cf_deallocate(allocator, copy);
	return d;
}

rtm_cf_data_ref rtm_cf_data_no_copy(rtm_cf_allocator_ref allocator,
	const unsigned char *bytes, long length, rtm_cf_allocator_ref deallocator)
{
	(void)allocator;
	if (length < 0 || (length && !bytes) || !cf_is_allocator(deallocator))
		return NULL;
	return cf_make_data((unsigned char *)(uintptr_t)bytes, length, deallocator);
}

long rtm_cf_data_length(rtm_cf_data_ref data)
{
	return cf_is(data, CF_DATA) ? data->length : 0;
}

const unsigned char *rtm_cf_data_bytes(rtm_cf_data_ref data)
{
	return cf_is(data, CF_DATA) ? data->bytes : NULL;
}

void rtm_cf_data_copy(
	rtm_cf_data_ref data, struct rtm_cf_range range, unsigned char *buffer)
{
	long length = rtm_cf_data_length(data), n = range.length;

	if (!buffer || range.location < 0 || range.location >= length || n <= 0)
		return;
	if (n > length - range.location)
		n = length - range.location;
	memcpy(buffer, data->bytes + range.location, (size_t)n);
}

bool cf_data_equal(const void *one, const void *other)
{
	const struct rtm_cf_data *a = one, *b = other;

	return a->length == b->length &&
	       (a->length == 0 || !memcmp(a->bytes, b->bytes, (size_t)a->length));
}
