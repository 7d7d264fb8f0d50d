"""messages.h, messages.c: which payloads a message has and in which order, as automata and structs."""

from .cwriter import cstr, finish, start, upper
from .exchange import Exchanges, cite, paren, place
from .layout import Layout
from .message_shapes import shape_tables
from .message_where import Wheres
from .resolve import Resolver

PROTECTION = {'clear': 'PROTECTION_CLEAR', 'encrypted': 'PROTECTION_ENCRYPTED',
              'either': 'PROTECTION_EITHER'}
MARK = {'clear': 'HDR', 'encrypted': 'HDR*', 'either': 'HDR?'}
EXCHANGE_REGISTRY = 'exchange_type'


def outputs(model):
    r = Resolver(model)
    ex = Exchanges(r.spec)
    return {'messages.h': header(r, ex), 'messages.c': source(r, ex)}


def shape_lines(view):
    """The message as the spec draws it, one line for each variant."""
    lines = []
    for line in view.lines:
        d = line.decl
        variants = ', '.join(v.text for v in d.variants)
        lines.append('  %s%s, %s' % (variants.ljust(10) if variants else '', MARK[d.protection],
                                     d.shape.text))
    if view.tolerated:
        lines.append('  tolerated: ' + ', '.join(view.tolerated))
    return lines


def places(view):
    return ', '.join(dict.fromkeys(place(line.decl.loc) for line in view.lines))


# ---- messages.h

def header(r, ex):
    c = start('messages.h', 'the messages of all exchanges: their payloads, in and out.',
              ['base/tables.h', 'generated/limits.h', 'generated/payloads.h'])
    with c.block('enum message_id', '};'):
        c('MESSAGE_NONE,')
        for view in ex.views.values():
            c('%s,' % upper('MESSAGE', view.name))
        c('MESSAGE_COUNT')
    c.blank()
    c.comment('What an exchange chooses between; a mask has 1u << v.')
    with c.block('enum variant', '};'):
        for v in ex.variants():
            c('%s,' % upper('VARIANT', v))
        c('VARIANT_COUNT')
    c.blank()
    c.comment('As the spec writes it.')
    c('const char *variant_name(enum variant v);')
    c.blank()
    for view in ex.views.values():
        message_header(c, r, view)
    return finish(c, 'messages.h')


def message_header(c, r, view):
    c.comment('%s: %s (%s)' % (view.name, cite(*view.clauses()), places(view)),
              *filter(None, [line.decl.doc for line in view.lines]), shape_lines(view))
    with c.block('enum', '};'):
        for slot in view.slots:
            c('%s,' % view.slot_c(slot))
    c.blank()
    in_struct(c, view)
    out_struct(c, view)
    c('void bind_%s(const struct message *m, struct in_%s *in);' % (view.name, view.name))
    c('extern const struct message_desc message_%s;' % view.name)
    c.blank()


def in_struct(c, view):
    """What an action reads; a payload that is not there is NULL."""
    with c.block('struct in_%s' % view.name, '};'):
        c('const struct message *message;')
        for s in view.slots.values():
            if s.repeated:
                c('uint16_t n_%s;' % s.name)
                c('const struct payload_%s *%s[LIMIT_PAYLOADS_PER_MESSAGE];' % (s.payload, s.name))
            else:
                c('const struct payload_%s *%s;' % (s.payload, s.name))
    c.blank()


def given(slot):
    """Whether an action fills it; the engine computes the data of a hash."""
    return slot.hash is None or slot.signature


def out_struct(c, view):
    """What an action fills."""
    with c.block('struct out_%s' % view.name, '};'):
        for s in view.slots.values():
            flagged = first_of_bracket(view, s.name)
            if flagged:
                c('bool has_%s;%s' % (s.name, '\t/* and with it %s */' % ', '.join(flagged)
                                      if flagged != [s.name] else ''))
            if not given(s):
                continue
            if s.repeated:
                c('const struct emit_%s *%s;' % (s.payload, s.name))
                c('size_t n_%s;' % s.name)
            else:
                c('struct emit_%s %s;' % (s.payload, s.name))
        for i, t in enumerate(view.tolerated):
            if i == 0:
                c.comment('Tolerated payloads come last.')
            c('const struct emit_%s *%s;' % (t, t))
            c('size_t n_%s;' % t)
        if not view.tolerated and not any(given(s) for s in view.slots.values()):
            c('char unused;\t/* there is nothing to fill */')
    c.blank()


def first_of_bracket(view, name):
    """The members of a bracket that begins with name, those of arrays left out; [] if none does."""
    for line in view.lines:
        for optional, names in line.items:
            single = [n for n in names if not view.slots[n].repeated]
            if optional and single and single[0] == name:
                return single
    return []


# ---- messages.c

PREAMBLE = '''\
struct chain {
	struct writer *w;
	struct emitted *e;
	size_t start;		/* of the message */
	size_t np;		/* the octet that names the payload written next */
};

static struct chain begin_message(struct writer *w, struct emitted *e, uint8_t exchange, uint8_t flags)
{
	const struct emit_header header = { .xchg = exchange, .flags = flags };
	struct chain c = { .w = w, .e = e, .start = w->n, .np = w->n + HEADER_OFFSET_NP };

	e->n = 0;
	emit_header(w, PAYLOAD_TYPE_NONE, &header);
	return c;
}

/* Name the payload in the octet before it and note where it begins. */
static void begin_payload(struct chain *c, uint8_t type, uint8_t slot)
{
	patch_u8(c->w, c->np, type);
	c->np = c->w->n + OFFSET_NEXT;
	if (c->e->n == sizeof(c->e->at) / sizeof(c->e->at[0])) {
		c->w->overflow = true;
		return;
	}
	c->e->at[c->e->n].slot = slot;
	c->e->at[c->e->n].offset = (uint32_t)c->w->n;
	c->e->n++;
}

static void end_payload(struct chain *c)
{
	if (!c->w->overflow)
		c->e->at[c->e->n - 1].length = (uint32_t)c->w->n - c->e->at[c->e->n - 1].offset;
}

static void end_message(struct chain *c)
{
	patch_u32(c->w, c->start + HEADER_OFFSET_LENGTH, (uint32_t)(c->w->n - c->start));
}
'''


def source(r, ex):
    c = start('messages.c', 'the messages of all exchanges: automata, binding, emission.',
              ['generated/messages.h', 'generated/keys.h', 'generated/names.h',
               'generated/reasons.h'])
    with c.function('const char *variant_name(enum variant v)'):
        with c.block('static const char *const names[VARIANT_COUNT] =', '};'):
            for v in ex.variants():
                c('[%s] = %s,' % (upper('VARIANT', v), cstr(v)))
        c.blank()
        c('return v < VARIANT_COUNT ? names[v] : "?";')
    c('enum { OFFSET_NEXT = %d };\t/* of the next-payload octet in a payload */' % next_offset(r))
    c.blank()
    c.comment('A message being written: the chain of next payloads and where each payload lies.')
    c(PREAMBLE)
    hashes(c, r, ex)
    c.comment('The tables of shapes: a row is a state, a column the payload of that class; state 0 is '
              'dead, 1 the start.  In the tables of slots: no edge, and a tolerated payload.')
    c('enum { NON = SLOT_NONE, TOL = SLOT_TOLERATED };')
    c.blank()
    wheres = Wheres(c, r, ex)
    for view in ex.views.values():
        message_source(c, r, ex, view, wheres)
    return finish(c, 'messages.c')


def next_offset(r):
    """Where a payload names the one behind it."""
    for s in r.payloads():
        chain = Layout(r, s).chain
        if chain is not None and chain.bit is not None:
            return chain.bit // 8
    return 0


def hashed_payloads(ex):
    return sorted({s.payload for v in ex.views.values() for s in v.slots.values() if not given(s)})


def hashes(c, r, ex):
    """One function for each payload whose data the engine computes when all else is written."""
    for payload in hashed_payloads(ex):
        layout = Layout(r, r.structs[payload])
        data = next(s for s in layout.slots if s.kind == 'bytes' and not layout.derived(s))
        c.comment('A %s of n zero octets: the engine computes them when the rest is written.'
                  % payload)
        with c.function('static void emit_empty_%s(struct writer *w, size_t n)' % payload):
            c('static const uint8_t zeros[64];')
            c('const struct emit_%s p = { .%s = span_of(zeros, n) };' % (payload, data.c))
            c.blank()
            with c.block('if (n > sizeof(zeros))'):
                c('w->overflow = true;')
                c('return;')
            c('emit_%s(w, PAYLOAD_TYPE_NONE, &p);' % payload)


def message_source(c, r, ex, view, wheres):
    slot_table(c, ex, view)
    shape_tables(c, r, view)
    bind(c, view)
    where = wheres.of_view(view)
    emit(c, view)
    with c.block('const struct message_desc message_%s =' % view.name, '};'):
        c('.name = %s,' % cstr(view.name))
        c('.id = %s,' % upper('MESSAGE', view.name))
        c('.protection = %s,' % PROTECTION[view.protection])
        c('.n_slots = %d,' % len(view.slots))
        c('.n_shapes = %d,' % len(view.lines))
        c('.slots = slots_%s,' % view.name)
        c('.shapes = shapes_%s,' % view.name)
        if where:
            c('.where = %s,' % where)
        c('.out_size = sizeof(struct out_%s),' % view.name)
        c('.emit = emit_message_%s,' % view.name)
        c('.rfc = %s,' % cstr(cite(*view.clauses())))
    c.blank()


def slot_table(c, ex, view):
    with c.block('static const struct slot_desc slots_%s[] =' % view.name, '};'):
        for s in view.slots.values():
            fields = ['.name = %s' % cstr(s.name), '.payload = %s' % upper('PAYLOAD_TYPE', s.payload)]
            if s.repeated:
                fields.append('.repeated = true')
            if not s.repeated and ex.keys.has(s.body):
                fields.append('.capture = %s' % ex.keys.c(s.body))
            if not s.repeated and ex.keys.has(s.whole):
                fields.append('.whole = %s' % ex.keys.c(s.whole))
            if s.hash:
                fields.append('.hash = %s' % ex.keys.c(s.hash))
            if s.signature:
                fields.append('.signature = true')
            c.fold('[%s] = { ' % view.slot_c(s.name) + ', '.join(fields) + ' },')
    c.blank()


def bind(c, view):
    with c.function('void bind_%s(const struct message *m, struct in_%s *in)' % (view.name, view.name)):
        c('*in = (struct in_%s){ .message = m };' % view.name)
        with c.block('for (uint16_t i = 0; i < m->n; i++)'):
            c('const struct payload *p = &m->payloads[i];')
            c.blank()
            with c.block('switch (p->slot)'):
                c.depth -= 1
                for s in view.slots.values():
                    c('case %s:' % view.slot_c(s.name))
                    place_c = '%s[in->n_%s++]' % (s.name, s.name) if s.repeated else s.name
                    c('\tin->%s = &p->u.%s;' % (place_c, s.payload))
                    c('\tbreak;')
                c.depth += 1


# ---- emission

def emit(c, view):
    """Header, then the payloads from left to right, then the tolerated ones."""
    head = ('static void emit_message_%s(struct writer *w, uint32_t variant, const void *out, '
            'size_t n_hash, struct emitted *e)')
    c.comment('%s: %s (%s)' % (view.name, cite(*view.clauses()), places(view)), shape_lines(view))
    with c.function(head % view.name):
        c('const struct out_%s *o = out;' % view.name)
        flags = '0' if view.protection == 'clear' else 'HEADER_FLAGS_ENCRYPTION'
        c('struct chain c = begin_message(w, e, %s, %s);'
          % (upper(EXCHANGE_REGISTRY, view.block.exchange), flags))
        c.blank()
        uses_out = view.tolerated or any(given(s) for s in view.slots.values())
        if not uses_out:
            c('(void)o;')
        if all(given(s) for s in view.slots.values()):
            c('(void)n_hash;')
        if not varies(view):
            c('(void)variant;')
        emit_items(c, view)
        for t in view.tolerated:
            emit_array(c, t, t, 'SLOT_TOLERATED')
        c('end_message(&c);')


def guards(view):
    """For each line the variants that its payloads are bound to: none when one line is all."""
    if len(view.lines) == 1:
        return [()]
    return [tuple(v.text for v in line.decl.variants) for line in view.lines]


def varies(view):
    return any(line.items != view.lines[0].items for line in view.lines)


def emit_items(c, view):
    """What all variants begin or end with is written once, the rest behind the variant."""
    lines = [line.items for line in view.lines]
    shortest = min(len(items) for items in lines)
    head = tail = 0
    while head < shortest and all(items[head] == lines[0][head] for items in lines):
        head += 1
    while tail < shortest - head and all(items[-1 - tail] == lines[0][-1 - tail] for items in lines):
        tail += 1
    for item in lines[0][:head]:
        emit_item(c, view, *item)
    for items, bound in zip(lines, guards(view)):
        middle = items[head:len(items) - tail]
        if not middle:
            continue
        with c.block('if ((variant & %s) != 0)' % paren(bound)):
            for item in middle:
                emit_item(c, view, *item)
    for item in lines[0][len(lines[0]) - tail:] if tail else ():
        emit_item(c, view, *item)


def emit_item(c, view, optional, names):
    """One item: a payload, an array, or a bracket, which stands behind the flag of its first."""
    single = [n for n in names if not view.slots[n].repeated]
    if optional and single:
        with c.block('if (o->has_%s)' % single[0]):
            emit_names(c, view, names)
    else:
        emit_names(c, view, names)


def emit_names(c, view, names):
    for n in names:
        if view.slots[n].repeated:
            emit_array(c, n, view.slots[n].payload, view.slot_c(n))
        else:
            emit_one(c, view, n)


def emit_one(c, view, name):
    s = view.slots[name]
    c('begin_payload(&c, %s, %s);' % (upper('PAYLOAD_TYPE', s.payload), view.slot_c(name)))
    if given(s):
        c('emit_%s(w, PAYLOAD_TYPE_NONE, &o->%s);' % (s.payload, name))
    else:
        c('emit_empty_%s(w, n_hash);' % s.payload)
    c('end_payload(&c);')


def emit_array(c, name, payload, slot):
    with c.block('for (size_t i = 0; i < o->n_%s; i++)' % name):
        c('begin_payload(&c, %s, %s);' % (upper('PAYLOAD_TYPE', payload), slot))
        c('emit_%s(w, PAYLOAD_TYPE_NONE, &o->%s[i]);' % (payload, name))
        c('end_payload(&c);')
