"""Helpers for writing C that reads like good hand-written C.  Knows nothing of the model."""

from contextlib import contextmanager

WIDTH = 100
TAB = 8


def cstr(s):
	"""A C string literal; None is NULL.  Anything not printable ASCII is an octal escape."""
	if s is None:
		return 'NULL'
	out = []
	for octet in s.encode('utf-8'):
		c = chr(octet)
		if c in '"\\':
			out.append('\\' + c)
		elif c == '\n':
			out.append('\\n')
		elif c == '\t':
			out.append('\\t')
		elif 32 <= octet < 127 and not (c == '?' and out and out[-1] == '?'):
			out.append(c)
		else:
			out.append('\\%03o' % octet)
	return '"' + ''.join(out) + '"'


def cbool(v):
	return 'true' if v else 'false'


def cnum(v):
	"""An integer literal with the suffix that its size asks for."""
	if v >= 1 << 32:
		return '%dull' % v
	if v >= 1 << 31:
		return '%du' % v
	return '%d' % v


def upper(*words):
	"""payload_type, SA -> PAYLOAD_TYPE_SA."""
	return '_'.join(str(w) for w in words if w != '').upper()


def width_of(line):
	"""Columns that a line takes with tabs of eight."""
	return len(line.expandtabs(TAB))


def wrap(text, width):
	"""Lines of at most width columns; words are never cut."""
	lines, cur = [], ''
	for word in text.split():
		if cur and len(cur) + 1 + len(word) > width:
			lines.append(cur)
			cur = word
		else:
			cur = cur + ' ' + word if cur else word
	if cur:
		lines.append(cur)
	return lines


class C:
	"""A C file under construction: lines with an indent, blocks, comments, calls that fold."""

	def __init__(self):
		self.lines = []
		self.depth = 0

	def __call__(self, text=''):
		"""One line at the present indent; an empty text is an empty line; a label or # stands left."""
		for line in text.split('\n'):
			if line == '':
				self.blank()
			elif line.startswith('#'):
				self.lines.append(line)
			else:
				self.lines.append('\t' * self.depth + line)

	def blank(self):
		"""One empty line, never two in a row and none at the start of a block."""
		if self.lines and self.lines[-1] != '' and not self.lines[-1].endswith('{'):
			self.lines.append('')

	@contextmanager
	def indent(self, n=1):
		self.depth += n
		yield
		self.depth -= n

	@contextmanager
	def block(self, head, tail='}'):
		"""head { ... }"""
		self(head + ' {' if head else '{')
		with self.indent():
			yield
		self(tail)

	@contextmanager
	def function(self, head):
		"""head, brace on a line of its own, body, brace, empty line.  A long head is folded."""
		self.fold(head)
		self('{')
		with self.indent():
			yield
		self('}')
		self.blank()

	def fold(self, text, tail=''):
		"""text + tail on one line when it fits; else broken after commas, aligned behind the
		first open bracket."""
		pad = '\t' * self.depth
		if width_of(pad + text + tail) <= WIDTH or ', ' not in text:
			self.lines.append(pad + text + tail)
			return
		open_at = max(text.find('('), 0) + 1
		column = width_of(pad) + open_at
		room = WIDTH - column
		pieces = _commas(text[open_at:])
		lines, cur = [], ''
		for piece in pieces:
			if cur and len(cur) + 1 + len(piece) > room:
				lines.append(cur)
				cur = piece
			else:
				cur = cur + ' ' + piece if cur else piece
		lines.append(cur + tail)
		lead = '\t' * (column // TAB) + ' ' * (column % TAB)
		self.lines.append(pad + text[:open_at] + lines[0])
		self.lines.extend(lead + line for line in lines[1:])

	def stmt(self, text):
		"""A statement, folded when it is too long; the semicolon is added."""
		self.fold(text, ';')

	def fail_if(self, cond, statement):
		"""if (cond) statement; with each part folded."""
		head = 'if (%s)' % cond
		if width_of('\t' * self.depth + head) > WIDTH and ' && ' in cond:
			parts = cond.split(' && ')
			self('if (%s &&' % parts[0])
			for i, part in enumerate(parts[1:], 2):
				self('    %s%s' % (part, ' &&' if i < len(parts) else ')'))
		else:
			self.fold(head)
		with self.indent():
			self.stmt(statement)

	def comment(self, *paragraphs):
		"""A block comment.  A string is wrapped; a list is taken line by line (a diagram)."""
		room = WIDTH - TAB * self.depth - 6
		lines = []
		for p in paragraphs:
			if not p:
				continue
			lines.extend(wrap(p, room) if isinstance(p, str) else list(p))
		if not lines:
			return
		lines = [line.replace('*/', '* /') for line in lines]
		if len(lines) == 1:
			self('/* %s */' % lines[0])
			return
		self('/* ' + lines[0])
		for line in lines[1:]:
			self(' * ' + line if line else ' *')
		self.lines[-1] += ' */'

	def table(self, rows, tail=',', head='{ ', foot=' }'):
		"""Initialiser rows of strings with aligned columns, one row a line."""
		if not rows:
			return
		widths = [0] * max(len(r) for r in rows)
		for r in rows:
			for i, cell in enumerate(r):
				widths[i] = max(widths[i], len(cell))
		for r in rows:
			cells = [cell + ',' for cell in r[:-1]]
			text = ' '.join(cell.ljust(widths[i] + 1) for i, cell in enumerate(cells))
			self(head + (text + ' ' if cells else '') + r[-1] + foot + tail)

	def text(self):
		while self.lines and self.lines[-1] == '':
			self.lines.pop()
		return '\n'.join(line.rstrip() for line in self.lines) + '\n'


def _commas(text):
	"""Split after commas that are outside of strings; the commas stay."""
	out, cur, quoted, escaped = [], '', False, False
	for c in text:
		cur += c
		if quoted:
			if escaped:
				escaped = False
			elif c == '\\':
				escaped = True
			elif c == '"':
				quoted = False
		elif c == '"':
			quoted = True
		elif c == ',':
			out.append(cur.strip())
			cur = ''
	if cur.strip():
		out.append(cur.strip())
	return out


def guard(name):
	return 'PLUTO_GENERATED_' + ''.join(c if c.isalnum() else '_' for c in name).upper()


def start(name, purpose, includes=(), sources=''):
	"""A new file with the comment that says what it is; a header gets its guard (see finish)."""
	c = C()
	c.comment('%s -- %s' % (name, purpose),
			  'Generated by codegen/specc from %s; change the spec, not this file.'
			  % (sources or 'spec/'))
	if name.endswith('.h'):
		c('#ifndef ' + guard(name))
		c('#define ' + guard(name))
	c.blank()
	system = [i for i in includes if i.startswith('<')]
	own = [i for i in includes if not i.startswith('<')]
	for i in system:
		c('#include ' + i)
	if system and own:
		c.blank()
	for i in own:
		c('#include "%s"' % i)
	c.blank()
	return c


def finish(c, name):
	"""The text of the file."""
	if name.endswith('.h'):
		c.blank()
		c('#endif')
	return c.text()


def add_with_helpers(c, body, helpers):
	"""Append the lines of body; before them those of the helpers (name, text) that are called, by the body or
	by another helper, in the order given."""
	text = body.text() if body.lines else ''
	for name, helper in reversed(helpers):
		if '%s(' % name in text:
			text = helper.strip() + '\n\n' + text
	c(text.rstrip('\n'))
	c.blank()


KEYWORDS = frozenset("""auto break case char const continue default do double else enum extern float for goto
	if inline int long register restrict return short signed sizeof static struct switch typedef
	union unsigned void volatile while bool true false""".split())


def cname(name):
	"""A member or parameter name that is no keyword of C."""
	return name + '_' if name in KEYWORDS else name
