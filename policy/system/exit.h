/* SPDX-License-Identifier: MIT */
/*
 * exit.h - what the tool's exit code says
 */
#ifndef EXIT_H
#define EXIT_H

#define CMD_OK	  0 /* done, nothing wrong */
#define CMD_NO	  1 /* done, the answer is bad news: errors in the policy */
#define CMD_USAGE 2 /* the command line makes no sense */

#endif
