// SPDX-License-Identifier: MIT
// Two hundred notes a second, each a shred of its own. ChucK's virtual machine runs on the
// audio thread, so that is where shreds, unit generators and strings are allocated.
fun void note(float pitch)
{
	SinOsc s => ADSR e => dac;
	pitch => s.freq;
	0.05 => s.gain;
	e.set(2::ms, 5::ms, 0.3, 5::ms);
	e.keyOn();
	15::ms => now;
	e.keyOff();
	6::ms => now;
}

string name;
int key;
while (true) {
	Std.rand2(40, 80) => key;
	"note " + key => name;
	spork ~ note(Std.mtof(key));
	5::ms => now;
}
