/* SPDX-License-Identifier: MIT */
/*
 * cmd_keys.c - rtmem --help-keys for people, rtmem keys for scripts: keys.def as it is
 */
#include <stdio.h>

#include "policy/model/keys.h"
#include "cmd.h"

static void print_heading(const struct keys_kind *kind)
{
	printf("[%s%s]\n", kind->name, kind->named ? " NAME" : "");
}

void cmd_keys_help(void)
{
	for (int s = 0; s < KEYS_SECTIONS; s++) {
		const struct keys_kind *kind = &keys_kind[s];

		print_heading(kind);
		for (int i = kind->first; i < kind->first + kind->n; i++) {
			const struct keys_key *k = &keys_table[i];

			printf("  %-13s %s\n%16s%s", k->name, k->help, "",
				keys_type_name(k->type));
			if (k->values[0] != '\0')
				printf(": %s", k->values);
			if (k->fallback[0] != '\0')
				printf("; default %s", k->fallback);
			putchar('\n');
		}
	}
}

int cmd_keys(int argc, char **argv)
{
	struct cmd_line l;

	cmd_begin(&l, argc, argv);
	if (cmd_next(&l) != CMD_END || l.at != argc)
		return CMD_USAGE;
	for (int i = 0; i < KEYS_COUNT_ALL; i++) {
		const struct keys_key *k = &keys_table[i];

		printf("%s\t%s\t%s\t%s\t%s\t%s\n", keys_kind[k->section].name, k->name,
			keys_type_name(k->type), k->fallback, k->values, k->help);
	}
	return CMD_OK;
}
