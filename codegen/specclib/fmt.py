"""specc fmt: lays spec text out in aligned columns.  Comments stay; formatting twice changes nothing more.

Each line of a block is cut into chunks (no blank outside of brackets and strings), the chunks are put into
the columns of that kind of block, and each column is as wide as its widest cell."""

from .lexer import scan

INDENT = "    "
HELP_COLUMN = 50
CITE = {"rfc": "cite", "ref": "cite", "allow": "cite"}
JOINERS = ("|", "x", "==", "!=", "<=", ">=", "<", ">", "in", "and")

# kind: (slots of the first chunks, slot of what follows, keyword -> slot, order of the columns)
KINDS = {
	"registry": (("num", "sym"), "text", dict(CITE, **{'"': "text", "as": "as", "is": "is", "word": "word",
		"alias": "alias"}), ("num", "sym", "text", "as", "is", "word", "alias", "cite")),
	"bits": (("num", "sym"), "text", dict(CITE, **{'"': "text"}), ("num", "sym", "text", "cite")),
	"field": (("name", "type"), "limit", {"lax": "flag", "chain": "flag", "else": "else"},
		("name", "type", "limit", "flag", "else")),
	"require": (("name",), "cond", {"->": "then", "else": "else"}, ("name", "cond", "then", "else")),
	"attributes": (("num", "name", "form", "type"), "more", dict(CITE, **{'"': "text", "after": "after",
		"tlv": "after", "repeat": "after", "step": "after"}), ("num", "name", "form", "type", "more", "after", "text", "cite")),
	"input": (("word", "name"), "more", {"from": "from", '"': "text", "secret": "flag"},
		("word", "name", "from", "more", "text", "flag")),
	"formula": (("name",), "variants", {"retain": "flag", "secret": "flag", "=": "expr", "rfc": "cite"},
		("name", "variants", "flag", "expr", "cite")),
	"tolerate": (("name",), "list", {}, ("name", "list")),
	"message": (("name",), "variants", dict(CITE, **{"HDR,": "hdr", "HDR*,": "hdr", "HDR?,": "hdr",
		"where": "where"}), ("name", "variants", "hdr", "shape", "where", "cite")),
	"states": (("name", "role"), "flag", {'"': "text", "number": "number"}, ("name", "role", "flag", "number", "text")),
	"by": (("word",), "list", {"by": "by"}, ("word", "list", "by")),
	"initiate": (("word", "action"), "more", {"send": "send", "next": "next", "timer": "timer"},
		("word", "action", "more", "send", "next", "timer")),
	"pair": (("name",), "rest", dict(CITE, **{'"': "text"}), ("name", "rest", "text", "cite")),
	"typed": (("name", "type"), "rest", dict(CITE, **{'"': "text"}), ("name", "type", "rest", "text", "cite")),
	"table": ((), "cell", {}, ()),
}
# One-line declarations: what begins a cell.
HEADER_CELLS = {"algorithm": ("rfc", "ref", "{"), "role": (":", "where", "rfc"), "columns": ("{",),
	"payload": (":", "rfc", "ref", "else", "{"), "struct": (":", "rfc", "ref", "else", "{"),
	"form": ("requires",), "oneway": ("messages", "{")}
BLOCKS = {"registry": "registry", "bits": "bits", "struct": "field", "payload": "field",
	"attributes": "attributes", "keys": "formula", "messages": "message", "states": "states",
	"transitions": "table", "suite": "table", "limits": "pair", "timers": "pair", "columns": "pair",
	"oneway": "pair", "algorithm": "pair", "vendors": "typed", "message": "typed", "group": "typed",
	"machine": "by", "reasons": "reasons", "protocol": "typed"}
FIRST = {"require": "require", "input": "input", "tolerate": "tolerate", "binds": "by", "supplies": "by",
	"initiate": "initiate"}


class Line:
	def __init__(self, chunks, gaps, comment, blank_comment):
		self.chunks = chunks
		self.gaps = gaps		# blanks before each chunk
		self.comment = comment		# with its '#', or ''
		self.only_comment = blank_comment
		self.kind = None
		self.depth = 0
		self.cells = {}
		self.text = ""

	@property
	def empty(self):
		return not self.chunks and not self.comment


class Reader:
	"""Cuts text into lines and chunks.  Blanks within a chunk are put in by rule, whatever the author wrote."""

	def __init__(self):
		self.lines = []
		self.sets = 0		# open { } of a set of values
		self.start()

	def start(self):
		self.chunks, self.gaps, self.comment = [], [], ""
		self.end, self.depth, self.before = 0, 0, ""

	def flush(self):
		self.lines.append(Line(self.chunks, self.gaps, self.comment, bool(self.comment) and not self.chunks))
		self.start()

	def read(self, text):
		for group, piece, _, col in scan(text, ""):
			if group == "nl":
				self.flush()
			elif group in ("doc", "comment"):
				self.comment = piece.rstrip()
			elif group != "blank":
				self.piece(piece, col - 1 - self.end)
				self.end = col - 1 + len(piece)
		if self.chunks or self.comment:
			self.flush()
		return self.lines

	def piece(self, piece, gap):
		opens_set = piece == "{" and self.before in ("in", "=")
		self.sets += opens_set
		closes = piece in (")", "]") or (piece == "}" and self.sets > 0)
		glue = " " if self.depth else None
		if self.chunks and self.tight(piece, gap, closes):
			glue = ""
		if glue is None or not self.chunks:
			self.chunks.append(piece)
			self.gaps.append(gap)
		else:
			self.chunks[-1] += glue + piece
		if closes:
			self.sets -= piece == "}"
			self.depth = max(0, self.depth - 1)
		elif piece in ("(", "[") or opens_set:
			self.depth += 1
		self.before = piece

	def tight(self, piece, gap, closes):
		"""No blank before this piece."""
		before = self.before
		if piece in (",", "*", "+", "?", "..", ".") or before in ("..", ".") or closes and self.depth:
			return piece != "*" or gap == 0
		if before in ("(", "[") or (before == "{" and self.sets):
			return self.depth > 0
		word = before[-1:].isalnum() or before in ("]", ")", "_")
		if piece in ("(", "["):
			return gap == 0 and word
		return gap == 0 and (piece in "-/%@" or before in ("-", "/", "%", "@")) and before not in (",", "=")


def join(chunks):
	"""Lists and expressions are one chunk: a, b   a | b   a x b."""
	found = []
	for c in chunks:
		if found and (found[-1].endswith((",", "|")) and not found[-1].startswith("HDR")
				or c in JOINERS or c == "," or found[-1].split(" ")[-1] in JOINERS[1:]):
			found[-1] += ("" if c == "," else " ") + c
		else:
			found.append(c)
	return found


def classify(line, block):
	first = line.chunks[0]
	if ";" in line.chunks or "{" in line.chunks or "}" in line.chunks:
		return "header"
	if block in ("machine", "keys", "messages", "struct", "payload") and first in FIRST:
		return FIRST[first]
	return BLOCKS.get(block, "header")


def fill(line):
	"""Puts the chunks into the columns of the line's kind."""
	first, rest, words, order = KINDS[line.kind]
	if line.kind == "table":
		cells = join([c.replace(", ", ",") for c in line.chunks])
		line.cells = {i: c for i, c in enumerate(x.replace(", ", ",") for x in cells)}
		return
	slot = rest
	for i, c in enumerate(join(line.chunks) if line.kind != "message" else message_chunks(line.chunks)):
		if i < len(first):
			slot = first[i]
			line.cells[slot] = c
			slot = rest
			continue
		key = '"' if c[0] == '"' else c
		known = words.get(key) or (words.get(c.split(" ")[0]) if c[0] != '"' else None)
		again = False
		if known is not None and not (key == '"' and slot in ("as", "word", "cite") and needs_string(line, slot)):
			again = known == slot and slot == "cite" and key != '"'
			slot = known
		elif line.kind == "message" and slot == "hdr":
			slot = "shape"
		if slot in line.cells:
			line.cells[slot] += ("  " if again else " ") + c
		else:
			line.cells[slot] = c


def needs_string(line, slot):
	"""as "X", word "x", "y", ref "...": the string belongs to the keyword."""
	so_far = line.cells.get(slot, "")
	return so_far.endswith(("as", "word", "ref", ","))


def message_chunks(chunks):
	"""The header mark, then the shape as one chunk, up to where, rfc or the end."""
	found, shape = [], None
	for c in chunks:
		if c in ("where",) or (c in CITE and shape is not None):
			shape = None
			found.append(c)
		elif shape is not None:
			found[-1] += " " + c
		else:
			found.append(c)
			if c.startswith("HDR") and c.endswith(","):
				found.append("")
				shape = True
	found = [c.strip() for c in found if c]
	out, seen = [], False
	for c in found:
		seen = seen or c.startswith("HDR")
		if not seen and out and out[-1].endswith(","):
			out[-1] += " " + c
		else:
			out.append(c)
	return out


def header(line):
	"""Author's gaps: one blank stays one, more become two."""
	if line.chunks[0] == "option":
		return option(line)
	text = ""
	for c, gap in zip(line.chunks, line.gaps):
		text += (" " if gap < 2 else "  ") * bool(text) + c
	return text


def option(line):
	"""Its lists are tight; its help text has a column, if what stands before is not longer: options are of all lengths."""
	text = ""
	for c, gap in zip(line.chunks, line.gaps):
		if c[0] == '"' and c is line.chunks[-1]:
			text = text.ljust(HELP_COLUMN - 2) + "  "
		elif text and not text.endswith(","):
			text += " " if gap < 2 else "  "
		text += c if c[0] == '"' else c.replace(", ", ",")
	return text


def lay_out(group):
	"""Gives the lines of one group (same kind, same block) their text."""
	order = KINDS[group[0].kind][3] or sorted({k for l in group for k in l.cells})
	used = [k for k in order if any(k in l.cells for l in group)]
	width = {k: max(len(l.cells.get(k, "")) for l in group) for k in used}
	if group[0].kind == "by":
		width["list"] = 0
	for l in group:
		text = ""
		for k in used:
			text += l.cells.get(k, "").ljust(width[k]) + "  "
		l.text = text.rstrip()


def lay_out_headers(lines):
	"""One-line declarations that follow each other: their cells are aligned."""
	keyword = lines[0].chunks[0]
	words = HEADER_CELLS.get(keyword, ())
	split = []
	for l in lines:
		cells = []
		for i, (c, gap) in enumerate(zip(l.chunks, l.gaps)):
			begins = c in words or (keyword == "algorithm" and i == 2)
			if cells and not begins and (gap < 2 or words) and c[0] != '"':
				cells[-1] += " " + c
			else:
				cells.append(c)
		split.append(cells)
	lay_out_members(split)
	width = {}
	for cells in split:
		for i, c in enumerate(cells[:-1]):
			width[i] = max(width.get(i, 0), len(c))
	for l, cells in zip(lines, split):
		l.text = "  ".join(c.ljust(width[i]) for i, c in enumerate(cells[:-1]))
		l.text += ("  " if len(cells) > 1 else "") + cells[-1]


def lay_out_members(rows):
	"""{ a 1 ; b 2 }: aligned in the rows that have the same members."""
	alike = {}
	for cells in rows:
		if cells[-1][0] == "{" and '"' not in cells[-1]:
			members = cells[-1].split(" ; ")
			names = tuple(m.removeprefix("{ ").split(" ")[0] for m in members)
			alike.setdefault(names, []).append((cells, members))
	for same in alike.values():
		width = [max(map(len, column)) for column in zip(*(members for _, members in same))]
		for cells, members in same:
			parts = [(m + " ;").ljust(w + 2) for m, w in zip(members[:-1], width)]
			cells[-1] = " ".join(parts + members[-1:])


def comments(lines):
	"""Comments behind text, aligned within their block."""
	with_text = [l for l in lines if l.comment and l.text]
	width = max((len(l.text) for l in with_text), default=0)
	for l in with_text:
		l.text = l.text.ljust(width) + "  " + l.comment


def format_text(text):
	lines = Reader().read(text)
	stack, groups, headers, run = [], {}, [], []
	bracket = 0		# open ( and [ at the start of the line
	for number, line in enumerate(lines):
		line.depth = len(stack)
		line.tail = bracket > 0 or goes_on(lines, number, stack)
		if line.chunks and not line.tail:
			while line.depth and line.chunks[0] == "}":
				line.depth -= 1
				break
			line.kind = classify(line, stack[-1][0] if stack else "")
			if line.kind in KINDS:
				fill(line)
				groups.setdefault((stack[-1][1], line.kind), []).append(line)
			elif line.kind == "reasons":
				line.kind = "header"
		one_line = line.chunks and line.chunks[0] != "option" and not stack and not line.tail and (
			"{" not in line.chunks or line.chunks[-1] == "}") and line.chunks[0] != "}"
		if one_line and run and run[-1].chunks[0] == line.chunks[0] and not line.only_comment:
			run.append(line)
		elif not line.only_comment:
			run = [line] if one_line else []
			headers.append(run)
		for c in line.chunks:
			if c == "{":
				stack.append((block_word(line, stack), number))
			elif c == "}" and stack:
				stack.pop()
		flat = "".join(c for c in line.chunks if c[0] != '"')
		bracket = max(0, bracket + sum(flat.count(c) for c in "([") - sum(flat.count(c) for c in ")]"))
	for line in lines:
		if line.chunks and line.kind not in KINDS:
			line.text = header(line)
	for group in groups.values():
		lay_out(group)
	for run in headers:
		if len(run) > 1 or (run and run[0].chunks[0] in HEADER_CELLS):
			lay_out_headers(run)
	return finish(text, lines)


def goes_on(lines, number, stack):
	"""A line that continues the one before."""
	line = lines[number]
	if not line.chunks:
		return False
	if not stack:
		return line.gaps[0] > 0
	before = next((l for l in reversed(lines[:number]) if l.chunks), None)
	if before is None or before.chunks[-1] == "{":
		return False
	if line.chunks[0][0] == '"' or before.chunks[-1].endswith((",", "|", "=", "->")):
		return True
	return line.chunks[0] in {"messages": ("where", "rfc", "ref"),
		"reasons": ("remedy", "notify", "status")}.get(stack[-1][0], ())


def block_word(line, stack):
	"""What kind of block the '{' of a line opens."""
	first = line.chunks[0]
	if not stack or first in ("states", "transitions", "message", "group"):
		return first
	return ""


def finish(text, lines):
	block = []
	for l in lines + [Line([], [], "", False)]:
		if l.empty or (l.chunks and (l.chunks[-1] == "{" or l.chunks[0] == "}")):
			comments(block + [l])
			block = []
		else:
			block.append(l)
	out = []
	for number, l in enumerate(lines):
		depth = l.depth + (1 if l.tail else 0) if l.chunks else comment_depth(lines, number)
		shown = l.text if l.text else l.comment
		if shown or (out and out[-1] != "" and not out[-1].endswith("{")):
			out.append((INDENT * depth + shown).rstrip())
	while out and out[-1] == "":
		out.pop()
	done = "\n".join(out) + "\n"
	return done if pieces(done) == pieces(text) else text


def comment_depth(lines, number):
	"""A comment stands as deep as what follows it."""
	follow = next((l for l in lines[number + 1:] if l.chunks), None)
	if follow is None:
		return 0
	return follow.depth + (1 if follow.chunks[0] == "}" and follow.depth < lines[number].depth else 0)


def pieces(text):
	"""Everything but blanks, in any order: what formatting must keep."""
	return sorted(p.rstrip() for g, p, _, _ in scan(text, "") if g not in ("blank", "nl"))
