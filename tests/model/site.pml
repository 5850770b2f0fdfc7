/* SPDX-License-Identifier: MIT */
/*
 * site.pml - the table of call sites (site_table.c, site_resolve.c, site_modules.c)
 *
 * The slow side replaces the module at an address: the new list is published, the
 * generation bumped, the table cleared, and the old record freed when no resolve is under
 * way. Two threads meanwhile ask for the address; what they do not find they resolve from
 * the list, store, and take back when the generation has moved on.
 *
 * Claims: no record is read after it was freed. Once the slow side is done, what the old
 * module said is found only while a resolve that began before is about to take it back,
 * that is, while a thread has a frame in the module that is closed. Nothing of the old
 * module stays in the table.
 * Memory is sequentially consistent here, as these operations are seq_cst in the code.
 *
 * Run: make check-model
 */
#define NOTHING 0
#define OLD     1
#define NEW     2

byte list = OLD;       /* world->modules: which record */
byte generation = 0;
byte value = NOTHING;  /* the table's entry for the address */
byte busy = 0;       /* resolves under way */
byte stale = 0;        /* of those, with the old record in hand */
bool freed = false;    /* the old record */
bool replaced = false; /* the slow side has returned to the program */
byte done = 0;

inline resolve()
{
	busy++;
	born = generation;
	atomic {
		record = list;
		if
		:: record == OLD -> stale++
		:: else
		fi
	};
	assert(!(late && record == OLD));
	assert(!(record == OLD && freed)); /* the record is read */
	found = record;
	assert(!(record == OLD && freed)); /* and still is */
	value = found;                     /* site_table_put() */
	if
	:: generation != born -> value = NOTHING
	:: else
	fi;
	atomic {
		busy--;
		if
		:: record == OLD -> stale--
		:: else
		fi
	}
}

proctype asker()
{
	byte found, born, record, i;
	bool late;

	for (i : 1 .. 3) {
		late = replaced;
		atomic {
			found = value;
			assert(!(late && found == OLD && stale == 0))
		};
		if
		:: found == NOTHING -> resolve()
		:: else
		fi
	}
	done++
}

proctype slow()
{
	list = NEW;
	generation++;
	value = NOTHING; /* site_table_forget() */
	if
	:: busy == 0 -> freed = true
	:: else
	fi;
	replaced = true;
	if
	:: !freed -> busy == 0; freed = true /* site_modules_reap(), a later look */
	:: else
	fi;
	done++
}

init {
	atomic { run asker(); run asker(); run slow() };
	done == 3;
	assert(value != OLD)
}
