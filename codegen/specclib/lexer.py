"""Splits spec text into words, numbers, strings, doc comments, punctuation and line ends."""

import re

from .ast import Loc


class Token:
	"""kind: WORD NUM STRING DOC NL EOF, or the punctuation itself.  value: text, int or string."""
	__slots__ = ("kind", "value", "text", "file", "line", "col", "length", "glued", "doc")

	def __init__(self, kind, value, text, file, line, col, length, glued):
		self.kind = kind
		self.value = value
		self.text = text
		self.file = file
		self.line = line
		self.col = col
		self.length = length
		self.glued = glued	# no blank between this token and the one before
		self.doc = None		# text of the ## lines before it

	@property
	def loc(self):
		return Loc(self.file, self.line, self.col, self.length)


PUNCTUATION = ("...", "->", "..", "==", "!=", "<=", ">=", "{", "}", "(", ")", "[", "]", ",", ";", ":",
	"=", "|", "*", "+", "?", "<", ">", "-", ".", "/", "%", "@", "#")

TOKEN = re.compile(r"""
	(?P<blank>[ \t\r]+)
	| (?P<doc>\#\#[^\n]*)
	| (?P<comment>\#[^\n]*)
	| (?P<nl>\n)
	| (?P<word>[A-Za-z0-9_]+)
	| (?P<string>"(?:\\[^\n]|[^"\\\n])*")
	| (?P<punct>%s)
	""" % "|".join(re.escape(p) for p in PUNCTUATION if p != "#"), re.VERBOSE)

NUMBER = re.compile(r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)\Z")
ESCAPE = re.compile(r"\\(.)")
ESCAPES = {"n": "\n", "t": "\t"}
CONTINUES = (",", "|", "=", "->", "..")	# a line that ends in one of these goes on


def scan(text, file):
	"""Every token of the text, comments too: (group, text, line, col)."""
	pos, line, start = 0, 1, 0
	while pos < len(text):
		m = TOKEN.match(text, pos)
		if m is None:
			yield "bad", text[pos], line, pos - start + 1
			pos += 1
			continue
		yield m.lastgroup, m.group(), line, pos - start + 1
		pos = m.end()
		if m.lastgroup == "nl":
			line, start = line + 1, pos


def unquote(text):
	return ESCAPE.sub(lambda m: ESCAPES.get(m.group(1), m.group(1)), text[1:-1])


def make_token(group, text, file, line, col, glued):
	if group == "word":
		if NUMBER.match(text):
			return Token("NUM", int(text, 0) if text[:2] in ("0x", "0X") else int(text, 10),
				text, file, line, col, len(text), glued)
		return Token("WORD", text, text, file, line, col, len(text), glued)
	if group == "string":
		return Token("STRING", unquote(text), text, file, line, col, len(text), glued)
	return Token(text, text, text, file, line, col, len(text), glued)


def tokenize(text, file, diags):
	"""The tokens of one file, ended by EOF.  Line ends inside ( ) and [ ], before an indented line
	at top level, before a string, and after a comma are dropped; ';' is a line end."""
	raw, docs, blank, line = [], [], True, 1
	for group, piece, line, col in scan(text, file):
		if group == "doc":
			docs.append(piece[2:].strip())
		elif group == "bad":
			diags.error("syntax", "unexpected character %r" % piece, Loc(file, line, col, 1),
				hint="a string must end on its line" if piece == '"' else None)
		elif group == "nl":
			raw.append(Token("NL", "\n", "\n", file, line, col, 1, False))
		elif group in ("word", "string", "punct"):
			t = make_token(group, piece, file, line, col, not blank)
			if docs:
				t.doc, docs = "\n".join(docs), []
			raw.append(t)
		blank = group in ("blank", "nl")
	end = Token("EOF", "", "", file, line, 1, 1, False)
	raw.append(Token("NL", "\n", "\n", file, line, 1, 1, False))
	raw.append(end)
	return join_lines(raw)


def join_lines(raw):
	out, depth, round_depth = [], 0, 0
	for i, t in enumerate(raw):
		if t.kind in ("(", "["):
			round_depth += 1
		elif t.kind in (")", "]"):
			round_depth = max(0, round_depth - 1)
		elif t.kind == "{":
			depth, round_depth = depth + 1, 0
		elif t.kind == "}":
			depth, round_depth = max(0, depth - 1), 0
		if t.kind == ";":
			t = Token("NL", ";", ";", t.file, t.line, t.col, 1, False)
		elif t.kind == "NL":
			follow = next((n for n in raw[i + 1:] if n.kind != "NL"), None)
			if follow is None or keep_line_end(out, follow, depth, round_depth):
				round_depth = 0
			else:
				continue
		if t.kind == "NL" and (not out or out[-1].kind == "NL"):
			continue
		out.append(t)
	return out


def keep_line_end(out, follow, depth, round_depth):
	if follow.kind == "EOF":
		return True
	if follow.col == 1 and follow.kind != "}":
		return True	# a declaration begins at column 1: recover here from any open bracket
	if round_depth or follow.kind == "STRING":
		return False
	if out and out[-1].kind in CONTINUES:
		return False
	return depth > 0
