# Proofs of the engine: cases of misuse, fuzzing, coverage, Frama-C.
$B/prog/misuse_twice $B/prog/misuse_where: tests/prog/misuse.h tests/prog/victim.h
