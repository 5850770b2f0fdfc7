#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# words.pl FILE... - says which comments have words of tests/words.txt in them
#
# Of C and assembler the comments are read, of other files everything outside of literal
# blocks. Exit 1 when there is one.
use strict;
use warnings;
use File::Basename;

my (@pattern, $found);
open my $list, '<', dirname(__FILE__) . '/words.txt' or die "words.txt: $!\n";
while (<$list>) {
	next if /^#/;
	chomp;
	my ($pattern, $instead) = split /\t/;
	push @pattern, [qr/$pattern/i, $instead];
}

# look FILE LINE TEXT: one paragraph
sub look {
	my ($file, $line, $text) = @_;

	$text =~ s/\s*\n\s*\*?\s*/ /g;
	for (@pattern) {
		next unless $text =~ $_->[0];
		print "$file:$line: \"$&\": $_->[1]\n";
		$found = 1;
	}
}

for my $file (@ARGV) {
	open my $in, '<', $file or die "$file: $!\n";
	my $all = join '', <$in>;
	if ($file =~ /\.(c|h|cc|hpp|S|def)$/) {
		while ($all =~ m{/\*.*?\*/}gs) {
			my ($text, $before) = ($&, substr($all, 0, $-[0]));
			look($file, 1 + ($before =~ tr/\n//), $text);
		}
		next;
	}
	$all =~ s/^(```.*?^```|\.Bd -literal.*?^\.Ed)/"\n" x ($1 =~ tr{\n}{})/gmes;
	my $line = 1;
	for my $paragraph (split /(\n\s*\n)/, $all) {
		look($file, $line, $paragraph) if $paragraph =~ /\S/;
		$line += () = $paragraph =~ /\n/g;
	}
}
exit($found ? 1 : 0);
