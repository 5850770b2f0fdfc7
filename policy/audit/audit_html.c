/* SPDX-License-Identifier: MIT */
/*
 * audit_html.c - an audit as one page: audit_page.html with the JSON in it
 *
 * Nothing is loaded from anywhere. Figures only; without scripts the page says so.
 */
#include <string.h>

#include "audit_report.h"

/* The file as it is, so that a browser and an editor can read it too. */
__asm__(".section .rodata\n"
	"audit_page:\n"
	".incbin \"policy/audit/audit_page.html\"\n"
	".byte 0\n"
	".previous\n");
extern const char audit_page[];

void audit_html(const struct audit_report *r, FILE *to)
{
	static const char here[] = "null /* JSON */";
	const char *at = strstr(audit_page, here);

	fwrite(audit_page, 1, (size_t)(at - audit_page), to);
	audit_json(r, to);
	fputs(at + sizeof(here) - 1, to);
}
