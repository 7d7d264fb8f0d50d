"""specc explain CODE: what a diagnostic means, with an example and its repair."""

import sys
from collections import namedtuple

from .diag import CODES, did_you_mean

Entry = namedtuple("Entry", "text wrong right")

EXPLAIN = {
"syntax": Entry("""The text does not follow the grammar: an unknown keyword, a missing brace, a row with another number
of cells than its heading.  The parser goes on at the end of the line inside a block, and at the next word in column 1
outside, so that one run shows all mistakes.""",
"suit ike  for ISAKMP {\n    encryption  hash\n    AES_CBC\n}",
"suite ike  for ISAKMP {\n    encryption  hash\n    AES_CBC     SHA\n}"),

"undef": Entry("""A name is used that nothing declares: a type, field, payload, role, state, message, variant, notify type,
symbol of a registry, action or parameter.  Symbols are looked up in the registry of the field, attribute or column
they stand with.""",
"protocol   protcol_id", "protocol   protocol_id"),

"dup": Entry("""One thing is declared twice: a declaration, a field, a state, a shape or formula for the same variant, an
option of the same form (or of a form and of `common`).""",
"role IDii, IDir : ID\nrole IDii : ID", "role IDii, IDir : ID"),

"dup-name": Entry("""Two values of one registry, or two attributes of one table, have the same name or word.  Names that
differ in case only count as the same, because their C constants would be.""",
"1  ADDRESS\n2  Address", "1  ADDRESS\n2  ADDRESS_2"),

"dup-value": Entry("""Two names have the same number, or ranges overlap, in one registry, table of attributes, bits, or set of
control messages.  An alias counts as a number of its entry.""",
"13  VID\n13  NATD", "13  VID\n20  NATD"),

"range": Entry("""A number does not fit where it stands: a value in its integer type, a constraint in its field, a default
within min and max; or a range ends before it begins.""",
"registry id_type : u8 { 256 NAME }", "registry id_type : u16 { 256 NAME }"),

"unnumbered": Entry("""Some states have a number and this one has none.  Whack prints 100 and the number of a state; scripts
read it, so it is written down and does not shift when states are added.  Take one that was never used.""",
'MAIN_R0  responder  start  "expecting MI1"', 'MAIN_R0  responder  start  number 1  "expecting MI1"'),

"unused-param": Entry("""A reason declares a parameter that neither its text nor its remedy shows.  The five parameters of the
parsers' faults (where, field, offset, got, want) are exempt.""",
"too_many (n u32, limit u32)  \"there are {n}\"", "too_many (n u32, limit u32)  \"there are {n}, at most {limit} are allowed\""),

"action": Entry("""One action is named in rows that receive or send different messages, so that it would need two prototypes; or,
with --check-actions LIB, the library does not define it.""",
"MAIN_I1  MR1  handle  MI2  MAIN_I2\nMAIN_I2  MR2  handle  MI3  MAIN_I3",
"MAIN_I1  MR1  main_inR1_outI2  MI2  MAIN_I2\nMAIN_I2  MR2  main_inR2_outI3  MI3  MAIN_I3"),

"unbounded": Entry("""`bytes[]` says nothing about its length.""",
"data   bytes[]", "data   bytes[1..]"),

"after-rest": Entry("""A field without a length takes all that is left of its payload, so that a field after it is never reached.""",
"group  bytes[..]\ndata   bytes[1..]", "glen   u16\ngroup  bytes[glen]\ndata   bytes[1..]"),

"align": Entry("""A u4 fills half an octet: every other field, and the end of the struct, must be on an octet.""",
"major  u4\nflags  u8", "major  u4\nminor  u4\nflags  u8"),

"underflow": Entry("""The fields can ask for more octets than the size of the struct can count.  A length field whose whole range
fits is checked by the generated parser; one that can never fit is a mistake of the spec.""",
"length  u8  = size(self)\nn       u8\ndata    bytes[n]",
"length  u8  = size(self)\nn       u8  0..253\ndata    bytes[n]"),

"derived-loop": Entry("""A length depends on itself: it is the size of all, it counts a list that has as many elements as it says,
or it comes after the field that needs it.""",
"data   bytes[len]\nlen    u8", "len    u8\ndata   bytes[len]"),

"type": Entry("""A field is used as what it is not: a length that is no number, a count of something that is no list, a list
of structs that do not say how long they are, a basic attribute that is no number of 16 bits.""",
"1  LIFE  basic  bytes[4]", "1  LIFE  variable  bytes[4]"),

"no-number": Entry("""A payload is not in the registry payload_type, so no message could name it.""",
"payload CERT : generic { ... }", "registry payload_type : u8 { ... 6 CERT ... }\npayload CERT : generic { ... }"),

"no-payload": Entry("""A number of payload_type has a name, but nothing says what the payload looks like.""",
"6   CERT", "6   reserved"),

"open-switch": Entry("""transform_id[protocol] and attribute[protocol] pick a table by the value of a field: there must be a table for
every value that the field may have.  The field must be of a closed registry and not lax, or list its values.""",
"registry esp_transform : u8 for transform_id[ESP] { ... }\nid  transform_id[protocol]     # AH is possible, too",
"registry esp_transform : u8 for transform_id[ESP] { ... }\nregistry ah_transform : u8 for transform_id[AH] { ... }"),

"algorithm": Entry("""An algorithm lacks a property of its kind, has one too many or of the wrong type.""",
"algorithm hmac mac { hash sha1 ; icv 12 }", "algorithm hmac mac { hash sha1 ; key 20 ; icv 12 }"),

"ambiguous": Entry("""At one place two roles could take the same payload, so nobody could say which was received.  The note shows
the payloads that lead there.  Fix the order of the two, or keep one of them.  With `binds VAR by peer` it also means
that one message fits the shapes of two variants, so that the peer's message does not tell which is meant.""",
"QI1  HDR*, HASH_1 > SA > Ni, IDci, IDcr", "QI1  HDR*, HASH_1 > SA > Ni, [IDci > IDcr]"),

"too-large": Entry("""The automaton of a shape has more states than its table can number.  Each payload that may stand anywhere
doubles it: fix the order of some.""",
"M1  HDR, A, B, C, D, E, F, G, H", "M1  HDR, A > B > C, D, E, F, G, H"),

"redundant": Entry("""A payload is listed in the shape and tolerated by the set of messages.  The listed place wins; which one is
meant?""",
"tolerate VID, N\nINF  HDR*, HASH_1 > N*", "tolerate VID\nINF  HDR*, HASH_1 > N*"),

"integrity": Entry("""An encrypted message proves nothing about who sent it unless it carries a HASH or SIG.  Under an established SA
the HASH comes first and covers the rest (RFC 2409 5.5, 5.7); in phase 1 there must be one in the message.""",
"QI2  HDR*, N", "QI2  HDR*, HASH_3 > N"),

"clear-secret": Entry("""A payload that is declared `secret` travels in clear although later messages of the exchange are encrypted.
Where the protocol wants it so (Aggressive Mode and identities), the messages say `allow clear-secret`.""",
"messages aggressive exchange AGGRESSIVE msgid zero {",
"messages aggressive exchange AGGRESSIVE msgid zero allow clear-secret {"),

"emit-gap": Entry("""Something is declared that nothing can ever send or receive: a payload in no message, a message that no row
sends or receives, a set of messages without machine.""",
"MI4  HDR*, HASH_I        # no row sends MI4", "# take MI4 out, or add a row that sends it"),

"nondet": Entry("""Two rows match the same state, message and variant.  First-match order would hide one of them.""",
"MAIN_I2  MR2  -        a  -  MAIN_I3\nMAIN_I2  MR2  psk,sig  b  -  MAIN_I3",
"MAIN_I2  MR2  psk      a  -  MAIN_I3\nMAIN_I2  MR2  sig      b  -  MAIN_I3"),

"role": Entry("""A state belongs to one end.  It cannot be entered by the other end, and cannot wait for a message that only its
own end sends; a message is sent by one end only; the start state is the responder's.""",
"MAIN_R0  MI1  a  MR1  MAIN_I2", "MAIN_R0  MI1  a  MR1  MAIN_R1"),

"no-shape": Entry("""A row sends or receives a message with a variant for which the message has no shape.""",
"MI3  psk  HDR*, IDii, HASH_I\nMAIN_I2  MR2  psk,sig  a  MI3  MAIN_I3",
"MI3  psk  HDR*, IDii, HASH_I\nMI3  sig  HDR*, IDii, SIG_I\nMAIN_I2  MR2  psk,sig  a  MI3  MAIN_I3"),

"guard-early": Entry("""A row asks for a variant in a state that can be reached before a `binds` action has run, or a message whose
shape depends on the variant is sent or received there.""",
"MAIN_R0  MI1  psk  a  MR1  MAIN_R1", "MAIN_R0  MI1  -    a  MR1  MAIN_R1"),

"unreachable": Entry("""No row, and not `initiate`, leads to a state.""",
"MAIN_R1  MI2  a  MR2  MAIN_R1      # MAIN_R2 was meant", "MAIN_R1  MI2  a  MR2  MAIN_R2"),

"dead-end": Entry("""A state is not final and no row leads on from it: an exchange would wait there for nothing.  Or it is `over`
without being final, in phase 1, or without a timer that ends it when it still answers duplicates.""",
"MAIN_I4  initiator         \"ISAKMP SA established\"", "MAIN_I4  initiator  final  \"ISAKMP SA established\""),

"loss": Entry("""Every message must survive being lost once: its sender repeats it by itself (timer retransmit), or when asked
again (the state it enters is `resend`).  A retransmit timer with nothing sent, or a `resend` state that is entered
without sending, is a mistake too.""",
"MAIN_R3  responder  final", "MAIN_R3  responder  final resend"),

"deadlock": Entry("""Initiator and responder are run against each other, for each variant.  One sends a message that the other
cannot accept in its state, or nothing is under way any more and one of them is not final.  The note is the whole run.""",
"MAIN_R2  MI3  psk  a  MR3  MAIN_R3           # and sig?", "MAIN_R2  MI3  psk,sig  a  MR3  MAIN_R3"),

"uncovered": Entry("""A state handles a message for some variants only, and no run of two ends shows that the others cannot occur
there.""",
"MAIN_R2  MI3  psk  a  MR3  MAIN_R3", "MAIN_R2  MI3  -    a  MR3  MAIN_R3"),

"prepare": Entry("""The action in the column `prepare` runs before its message is verified, because only it can give what the hash is made
of.  A message without a hash or signature needs none: its own action sees the payloads just as well.""",
"AGGR_R0  AI1  prepare_AI1  in_AI1  AR1  AGGR_R1  larval", "AGGR_R0  AI1  -            in_AI1  AR1  AGGR_R1  larval"),

"key-order": Entry("""A value is made of itself, directly or by way of others.""",
"A = prf(B, rest)\nB = prf(A, rest)", "A = prf(SKEYID, rest)\nB = prf(A, rest)"),

"key-avail": Entry("""A message is to be verified, made, encrypted or decrypted at a point where something that its formula needs is
not surely there: a payload not yet received or sent, or a value that no action has supplied.  A payload that is
optional or may be repeated brings no value.""",
"MI3  HDR*, HASH_I               # HASH_I is made of IDii_b", "MI3  HDR*, IDii, HASH_I"),
}


def indented(text):
	return "\n".join("        " + line for line in text.split("\n"))


def explain(code):
	if code is None:
		for c in CODES:
			print("%-14s %s" % (c, " ".join(EXPLAIN[c].text.split()).split(". ")[0].split(": ")[0]))
		return 0
	entry = EXPLAIN.get(code.strip("[]"))
	if entry is None:
		hint = did_you_mean(code, EXPLAIN)
		sys.stderr.write("specc: no diagnostic has the code '%s'%s\n" % (code, "; " + hint if hint else ""))
		return 1
	print("%s (phase: %s)\n\n    %s\n\n    wrong:\n%s\n\n    right:\n%s" % (code, CODES[code.strip("[]")],
		"\n    ".join(entry.text.split("\n")), indented(entry.wrong), indented(entry.right)))
	return 0
