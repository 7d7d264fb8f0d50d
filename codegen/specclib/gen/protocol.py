"""<protocol>_protocol.h/.c: the messages between our own programs, as structs, written and read."""

from .cwriter import cname, finish, start, upper
from .resolve import spec_of

SPAN = ('string', 'bytes')
COMPOUND = {'addr': 'struct ip_addr', 'subnet': 'struct subnet', 'endpoint': 'struct endpoint'}
INTEGER = {'u8': 1, 'u16': 2, 'u32': 4, 'u64': 8}


class Kind:
	"""What a field's type is in C and which functions of base/frame.h carry it."""

	def __init__(self, protocol, groups, registries, field):
		self.field = field
		self.name = cname(field.name.text)
		self.count = 'n_' + field.name.text
		self.repeated = field.repeated
		self.text = field.text or field.doc
		t = field.type.text
		self.flag = t == 'flag'
		self.span = t in SPAN
		self.compound = t if t in COMPOUND else None
		self.group = t if t in groups else None
		self.octets = 1 if self.flag else INTEGER.get(t)
		self.note = ''
		if t in registries:
			self.octets = max(1, registries[t] // 8)
			self.note = 'enum ' + t
		if self.flag:
			self.ctype = 'bool'
		elif self.span:
			self.ctype = 'struct span'
		elif self.compound:
			self.ctype = COMPOUND[t]
		elif self.group:
			self.ctype = 'struct %s_%s' % (protocol.name.text, t)
		else:
			self.ctype = 'uint%d_t' % (8 * self.octets)


def fault(reason, where, field, offset, got, want):
	"""The statement, without its end, that refuses a frame."""
	return 'return fault_at(f, REASON_%s, 0, "%s", "%s", %s, %s, %s)' % (reason, where, field, offset, got, want)


def outputs(model):
	files = {}
	registries = {name: r.bits for name, r in model.registries.items()}
	for p in spec_of(model).protocols:
		files.update(Protocol(p, registries).files())
	return files


class Protocol:
	def __init__(self, decl, registries):
		self.decl = decl
		self.id = decl.name.text
		groups = {g.name.text for g in decl.groups}
		self.records = [(g, [Kind(decl, groups, registries, f) for f in g.fields]) for g in decl.groups]
		self.messages = [(m, [Kind(decl, groups, registries, f) for f in m.fields]) for m in decl.messages]

	def struct(self, record):
		return 'struct %s_%s' % (self.id, record.name.text)

	def place(self, record):
		return '%s:%d' % (record.loc.file, record.loc.line)

	def files(self):
		header, source = self.id + '_protocol.h', self.id + '_protocol.c'
		return {header: self.header(header), source: self.source(source)}

	# ---- header

	def header(self, name):
		c = start(name, 'the messages of the protocol "%s", version %d.' % (self.id, self.decl.version),
			['base/addr.h', 'base/arena.h', 'base/tables.h', 'base/writer.h'], self.decl.loc.file)
		c('#define %s %d' % (upper(self.id, 'VERSION'), self.decl.version))
		c.blank()
		with c.block('enum %s_message_id' % self.id, '};'):
			for m, _ in self.messages:
				c('%s = %d,' % (upper(self.id, m.name), m.number.value))
		c.blank()
		for record, fields in self.records + self.messages:
			self.declare(c, record, fields)
		c.comment('What was received; spans point into the frame, arrays live in the arena.')
		with c.block('struct %s_message' % self.id, '};'):
			c('uint8_t id;\t/* enum %s_message_id */' % self.id)
			with c.block('union', '} u;'):
				for m, _ in self.messages:
					c('%s %s;' % (self.struct(m), cname(m.name.text)))
		c.blank()
		c.comment('Write one frame with its length; overflow is left in w.')
		for m, _ in self.messages:
			c(self.put_head(m) + ';')
		c.blank()
		c.comment('Read a frame without its length. Fields that are not known are passed over; a message that '
			'is not known, another version, or a field that is cut off or cannot be of its type is a '
			'fault.')
		c.fold(self.get_head(), ';')
		return finish(c, name)

	def declare(self, c, record, fields):
		c.comment(' '.join(x for x in (record.text or record.doc, '(%s)' % self.place(record)) if x))
		with c.block(self.struct(record), '};'):
			if not fields:
				c('uint8_t none;\t/* C has no empty structs */')
			for f in fields:
				remark = ', '.join(x for x in (f.note, f.text) if x)
				remark = '\t/* %s */' % remark if remark else ''
				if f.repeated:
					c('const %s *%s;%s' % (f.ctype, f.name, remark))
					c('size_t %s;' % f.count)
				else:
					c('%s %s;%s' % (f.ctype, f.name, remark))
		c.blank()

	def put_head(self, m):
		return 'void %s_put_%s(struct writer *w, const %s *m)' % (self.id, m.name.text, self.struct(m))

	def get_head(self):
		return 'bool %s_get(struct span frame, struct arena *a, struct %s_message *out, struct fault *f)' \
			% (self.id, self.id)

	# ---- source

	def source(self, name):
		c = start(name, 'writes and reads the messages of the protocol "%s".' % self.id,
			['base/frame.h', 'generated/%s_protocol.h' % self.id, 'generated/reasons.h'], self.decl.loc.file)
		for g, fields in self.records:
			self.put_fields(c, g, fields)
			self.get_fields(c, g, fields)
		for m, fields in self.messages:
			if fields:
				self.put_fields(c, m, fields)
				self.get_fields(c, m, fields)
			self.put(c, m, fields)
		self.get(c)
		return finish(c, name)

	def put_fields(self, c, record, fields):
		with c.function('static void put_fields_%s(struct writer *w, const %s *m)'
				% (record.name.text, self.struct(record))):
			if any(f.group for f in fields):
				c('size_t at;')
				c.blank()
			for number, f in enumerate(fields, 1):
				if f.repeated:
					c('for (size_t i = 0; i < m->%s; i++) {' % f.count)
					with c.indent():
						self.put_one(c, number, f, 'm->%s[i]' % f.name)
					c('}')
				elif f.flag or f.span or f.compound:
					c('if (%s)' % self.present(f))
					with c.indent():
						self.put_one(c, number, f, 'm->' + f.name)
				else:
					self.put_one(c, number, f, 'm->' + f.name)

	def present(self, f):
		if f.flag:
			return 'm->' + f.name
		if f.span:
			return 'm->%s.n > 0' % f.name
		return 'm->%s.len != 0' % f.name if f.compound == 'addr' else 'm->%s.addr.len != 0' % f.name

	def put_one(self, c, number, f, value):
		if f.group:
			c('at = frame_open(w, %d);' % number)
			c('put_fields_%s(w, &%s);' % (f.group, value))
			c('frame_close(w, at);')
		elif f.span:
			c('frame_put_bytes(w, %d, %s);' % (number, value))
		elif f.compound:
			c('frame_put_%s(w, %d, &%s);' % (f.compound, number, value))
		else:
			c('frame_put_uint(w, %d, %s, %d);' % (number, value, f.octets))

	def get_fields(self, c, record, fields):
		where = record.name.text
		head = 'static bool get_fields_%s(struct span in, uint32_t offset, struct arena *a, %s *out, struct fault *f)' \
			% (where, self.struct(record))
		with c.function(head):
			c('struct span rest = in;')
			c('struct frame_field field;')
			if any(self.is_number(f) for f in fields):
				c('uint64_t v = 0;')
			c.blank()
			if not any(f.repeated or f.group for f in fields):
				c('(void)a;')
			c('memset(out, 0, sizeof(*out));')
			for number, f in enumerate(fields, 1):
				if f.repeated:
					c('out->%s = ARENA_ARRAY(a, %s, frame_count(in, %d) + 1);' % (f.name, f.ctype, number))
			with c.block('while (frame_next(in, &rest, &field))'):
				with c.block('switch (field.number)'):
					c.depth -= 1
					for number, f in enumerate(fields, 1):
						self.get_one(c, number, f, where)
					c('default:')
					c('\tbreak;')
					c.depth += 1
			c.fail_if('rest.n > 0', fault('FIELD_TRUNCATED', where, 'field',
				'offset + (uint32_t)(in.n - rest.n)', 'rest.n', 'FRAME_FIELD_HEAD'))
			c('return true;')

	def is_number(self, f):
		return not (f.span or f.compound or f.group)

	def get_one(self, c, number, f, where):
		target = '((%s *)out->%s)[out->%s++]' % (f.ctype, f.name, f.count) if f.repeated else 'out->' + f.name
		bad = fault('FIELD_VALUE', where, f.field.name.text, 'offset + field.offset', 'field.value.n', f.octets or 0)
		c('case %d:' % number)
		with c.indent():
			if f.span:
				c('%s = field.value;' % target)
			elif f.group:
				c.fail_if('!get_fields_%s(field.value, offset + field.offset, a, &%s, f)'
					% (f.group, target), 'return false')
			elif f.compound:
				c.fail_if('!frame_get_%s(field.value, &%s)' % (f.compound, target), bad)
			else:
				c.fail_if('!frame_get_uint(field.value, %d, &v)' % f.octets, bad)
				c('%s = %s;' % (target, 'v != 0' if f.flag else '(%s)v' % f.ctype))
			c('break;')

	def put(self, c, m, fields):
		with c.function(self.put_head(m)):
			c('size_t frame = frame_begin(w, %s, %s);' % (upper(self.id, 'VERSION'), upper(self.id, m.name)))
			c.blank()
			c('put_fields_%s(w, m);' % m.name.text if fields else '(void)m;')
			c('frame_end(w, frame);')

	def get(self, c):
		with c.function(self.get_head()):
			c('struct span fields = span_from(frame, FRAME_HEAD);')
			c.blank()
			c.fail_if('frame.n < FRAME_HEAD',
				fault('FIELD_TRUNCATED', 'frame', 'version', '0', 'frame.n', 'FRAME_HEAD'))
			version = upper(self.id, 'VERSION')
			c.fail_if('frame.p[0] != %s' % version,
				fault('FIELD_VALUE', 'frame', 'version', '0', 'frame.p[0]', version))
			c('out->id = frame.p[1];')
			with c.block('switch (out->id)'):
				c.depth -= 1
				for m, fields in self.messages:
					c('case %s:' % upper(self.id, m.name))
					with c.indent():
						member = 'out->u.' + cname(m.name.text)
						if fields:
							c.stmt('return get_fields_%s(fields, FRAME_HEAD, a, &%s, f)' % (m.name.text, member))
						else:
							c('%s.none = 0;' % member)
							c('return true;')
				c('default:')
				with c.indent():
					c.stmt(fault('FIELD_UNKNOWN', 'frame', 'message', '1', 'out->id', '0'))
				c.depth += 1
