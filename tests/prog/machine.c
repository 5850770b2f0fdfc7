/* SPDX-License-Identifier: MIT */
/*
 * machine.c WHAT - exit code 0: this machine has it (pins, frames, thp)
 */
#include "../unit/machine.h"

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "pins") == 0)
		return !machine_pins();
	if (strcmp(what, "frames") == 0)
		return !machine_shows_frames();
	if (strcmp(what, "thp") == 0)
		return !machine_has_thp();
	return 2;
}
