"""machines.h, machines.c, actions.h: who answers what, as tables, and what the tables call."""

from .cwriter import cstr, finish, start, upper
from .exchange import Exchanges, GenerateError, cite, mask, place
from .resolve import Resolver

MSGID = {'zero': 'MSGID_ZERO', 'nonzero': 'MSGID_NONZERO', 'any': 'MSGID_ANY'}
EXCHANGE_REGISTRY = 'exchange_type'


class Action:
    """One function of the engine's user and every row that calls it."""

    def __init__(self, name, recv, send):
        self.name, self.recv, self.send = name, recv, send
        self.rows = []		# (text, place)
        self.clauses = []

    def parameters(self):
        out = ['struct action *a']
        if self.recv:
            out.append('const struct in_%s *in' % self.recv)
        if self.send:
            out.append('struct out_%s *out' % self.send)
        return ', '.join(out)

    def prototype(self):
        return 'enum action_result %s(%s)' % (self.name, self.parameters())


def outputs(model):
    r = Resolver(model)
    ex = Exchanges(r.spec)
    actions = collect(r.spec, ex)
    return {'actions.h': actions_header(r.spec, actions),
            'machines.h': header(r),
            'machines.c': source(r, ex, actions)}


# ---- actions

def collect(spec, ex):
    """Every action in the order of the spec; one action has one signature."""
    actions = {}

    def add(name, recv, send, text, loc, *clauses):
        recv, send = recv and recv.text, send and send.text
        a = actions.setdefault(name.text, Action(name.text, recv, send))
        if (a.recv, a.send) != (recv, send):
            raise GenerateError(name.loc, "action '%s' is called with other messages at %s"
                                % (name, a.rows[0][1]))
        a.rows.append((text, place(loc)))
        a.clauses += clauses

    for m in spec.machines:
        for i in m.initiates:
            add(i.action, None, i.send, 'Initiate: sends %s, then %s' % (i.send, i.next), i.loc,
                *message_clauses(ex, i.send))
        for row in m.rows:
            if row.prepare:
                add(row.prepare, row.recv, None, '%s before %s is verified' % (row.state, row.recv),
                    row.loc, *message_clauses(ex, row.recv))
            add(row.action, row.recv, row.send, row_text(row), row.loc,
                *message_clauses(ex, row.recv))
    for o in spec.oneways:
        for row in o.rows:
            add(row.action, row.message, None, 'Takes %s' % row.message, row.loc,
                o.clauses, *message_clauses(ex, row.message))
    return actions


def message_clauses(ex, name):
    return ex.views[name.text].clauses() if name and name.text in ex.views else []


def row_text(row):
    variants = ' when %s' % ', '.join(v.text for v in row.variants) if row.variants else ''
    answer = ', answers %s' % row.send if row.send else ''
    return '%s takes %s%s%s, then %s' % (row.state, row.recv, variants, answer, row.next)


def actions_header(spec, actions):
    c = start('actions.h', 'what the tables of machines call; ike/ defines each of them.',
              ['generated/messages.h'])
    for a in actions.values():
        lines = ['%s (%s).' % row for row in a.rows]
        c.comment(*lines, cite(*a.clauses) + '.' if cite(*a.clauses) else '')
        c.stmt(a.prototype())
        c.blank()
    return finish(c, 'actions.h')


# ---- machines.h

def header(r):
    spec = r.spec
    c = start('machines.h', 'the exchanges: states, who answers what, one-way messages.',
              ['base/tables.h', 'generated/messages.h'])
    with c.block('enum machine_id', '};'):
        c('MACHINE_NONE,')
        for m in spec.machines:
            c('%s,' % upper('MACHINE', m.name))
        c('MACHINE_COUNT')
    c.blank()
    with c.block('enum state_id', '};'):
        c('STATE_NONE,')
        for m in spec.machines:
            for s in m.states:
                number = ' = %d' % s.number.value if s.number else ''
                c('%s%s,\t/* %s */' % (upper('STATE', s.name), number, s.text))
        c('STATE_COUNT')
    c.blank()
    declare(c, 'machine', spec.machines)
    declare(c, 'oneway', spec.oneways)
    for variable, (registry, _) in selections(r).items():
        select_header(c, variable, registry)
    return finish(c, 'machines.h')


def declare(c, kind, decls):
    for d in decls:
        c.comment(d.doc, '%s (%s)' % (d.clauses.citation(), place(d.loc)) if d.clauses.citation()
                  else place(d.loc))
        c('extern const struct %s_desc %s_%s;' % (kind, kind, d.name))
        c.blank()
    c('extern const struct %s_desc *const %ss[];' % (kind, kind))
    c('extern const size_t n_%ss;' % kind)
    c.blank()
    c.comment('What an exchange type has; NULL if it is none of these.')
    c('const struct %s_desc *%s_by_exchange(uint8_t exchange_type);' % (kind, kind))
    c.blank()


def selections(r):
    """variable -> (registry, [(variant, symbol)]) where variants stand for values of a registry;
    machines that select the same variable share it."""
    out = {}
    for m in r.spec.machines:
        pairs = [(v.text, s.text) for v, s in (m.selects.variants + m.selects.more if m.selects else ()) if s]
        if not pairs:
            continue
        variable = m.selects.variable.text
        registry, known = out.setdefault(variable, (registry_with(r, m, pairs), []))
        known += [p for p in pairs if p not in known]
    return out


def registry_with(r, machine, pairs):
    """The first registry that has all symbols."""
    for registry in r.spec.registries:
        symbols = {e.symbol.text for e in registry.entries if e.symbol is not None}
        if all(s in symbols for _, s in pairs):
            return registry
    raise GenerateError(machine.loc, 'no registry has all of ' + ', '.join(s for _, s in pairs))


def select_header(c, variable, registry):
    c.comment("The variant of '%s' that a value of %s stands for; false if it is none of them."
              % (variable, registry.name))
    c('bool %s_variant(uint32_t value, enum variant *out);' % variable)
    c.blank()
    c.comment('The value of %s that a variant stands for, the first one if there are several; 0 if it stands for none.'
              % registry.name)
    c('uint32_t %s_value(enum variant v);' % variable)
    c.blank()


# ---- machines.c

def source(r, ex, actions):
    spec = r.spec
    c = start('machines.c', 'the exchanges: states, who answers what, one-way messages.',
              ['generated/machines.h', 'generated/actions.h', 'generated/keys.h',
               'generated/names.h'])
    c.comment('The engine calls actions through one type; each of these gives an action the '
              'payloads that its message has.')
    for a in actions.values():
        glue(c, a)
    for m in spec.machines:
        machine(c, spec, ex, m)
    for o in spec.oneways:
        oneway(c, spec, ex, o)
    index(c, spec, 'machine', spec.machines)
    index(c, spec, 'oneway', spec.oneways)
    for variable, (registry, pairs) in selections(r).items():
        select_source(c, variable, registry, pairs)
    return finish(c, 'machines.c')


def glue(c, a):
    head = 'static enum action_result run_%s(struct action *a, const struct message *m, void *out)'
    with c.function(head % a.name):
        if a.recv:
            c('struct in_%s in;' % a.recv)
            c.blank()
        if not a.recv:
            c('(void)m;')
        if not a.send:
            c('(void)out;')
        if a.recv:
            c('bind_%s(m, &in);' % a.recv)
        args = ['a'] + (['&in'] if a.recv else []) + (['out'] if a.send else [])
        c('return %s(%s);' % (a.name, ', '.join(args)))


def message_ref(name):
    return '&message_%s' % name if name is not None else 'NULL'


def row_fields(c, m, recv, send, next_state, variants, timer, action, loc):
    if recv is not None:
        c('.recv = %s,' % message_ref(recv))
    if send is not None:
        c('.send = %s,' % message_ref(send))
    if next_state is not None:
        c('.next = &states_%s[%s],' % (m.name, next_state))
    if variants:
        c('.variants = %s,' % mask(variants))
    if timer is not None:
        c('.timer = %s,' % upper('TIMER', timer))
    c('.action_name = %s,' % cstr(action.text))
    c('.run = run_%s,' % action)
    file, line = place(loc).rsplit(':', 1)
    c('.file = %s,' % cstr(file))
    c('.line = %s,' % line)


def rows_of(m, state):
    return [row for row in m.rows if row.state.text == state.name.text]


def told_by(m, state, row):
    """Does the shape of the row's message tell the variant?"""
    names = [a.text for b in m.binds for a in b.actions]
    return row.recv.text in names or (state.start and 'peer' in names)


def machine(c, spec, ex, m):
    c.comment('Machine %s (%s): places of its states.' % (m.name, place(m.loc)))
    with c.block('enum', '};'):
        for s in m.states:
            c('%s,' % s.name)
    c.blank()
    c('static const struct state_desc states_%s[%d];' % (m.name, len(m.states)))
    c.blank()
    for i in m.initiates[:1]:
        with c.block('static const struct row initiate_%s =' % m.name, '};'):
            row_fields(c, m, None, i.send, i.next, (), i.timer, i.action, i.loc)
        c.blank()
    for s in m.states:
        rows = rows_of(m, s)
        if not rows:
            continue
        with c.block('static const struct row rows_%s[] =' % s.name, '};'):
            for row in rows:
                with c.block('', '},'):
                    if row.prepare:
                        c('.prepare = run_%s,' % row.prepare)
                    if told_by(m, s, row):
                        c('.selects = true,')
                    row_fields(c, m, row.recv, row.send, row.next, row.variants, row.timer,
                               row.action, row.loc)
        c.blank()
    states(c, m)
    description(c, spec, ex, m)


def states(c, m):
    with c.block('static const struct state_desc states_%s[%d] =' % (m.name, len(m.states)), '};'):
        for s in m.states:
            with c.block('[%s] =' % s.name, '},'):
                c('.name = %s,' % cstr(s.name.text))
                c('.text = %s,' % cstr(s.text))
                c('.id = %s,' % upper('STATE', s.name))
                c('.role = %s,' % upper('ROLE', s.role))
                for flag in ('start', 'final', 'resend', 'over'):
                    if getattr(s, flag):
                        c('.%s = true,' % flag)
                n = len(rows_of(m, s))
                if n:
                    c('.n_rows = %d,' % n)
                    c('.rows = rows_%s,' % s.name)
                c('.machine = &machine_%s,' % m.name)
    c.blank()


def exchange_fields(c, spec, ex, messages):
    """What a machine and a oneway take from their messages; gives the block."""
    block = next(b for b in spec.messages if b.name.text == messages.text)
    c('.exchange_type = %s,' % upper(EXCHANGE_REGISTRY, block.exchange))
    c('.msgid = %s,' % MSGID[block.msgid])
    if block.iv:
        c('.iv = %s,' % ex.keys.c(block.iv))
    if block.key:
        c('.cipher_key = %s,' % ex.keys.c(block.key))


def description(c, spec, ex, m):
    start_state = next((s for s in m.states if s.start and s.role == 'responder'), None)
    with c.block('const struct machine_desc machine_%s =' % m.name, '};'):
        c('.name = %s,' % cstr(m.name.text))
        c('.id = %s,' % upper('MACHINE', m.name))
        c('.phase = %d,' % m.phase)
        exchange_fields(c, spec, ex, m.messages)
        if m.selects:
            c('.variants = %s,' % mask([v for v, _ in m.selects.variants]))
            c('.selects = %s,' % cstr(m.selects.variable.text))
        if m.initiates:
            c('.initiate = &initiate_%s,' % m.name)
        if start_state:
            c('.start = &states_%s[%s],' % (m.name, start_state.name))
        c('.states = states_%s,' % m.name)
        c('.n_states = %d,' % len(m.states))
    c.blank()


def oneway(c, spec, ex, o):
    with c.block('static const struct row rows_%s[] =' % o.name, '};'):
        for row in o.rows:
            with c.block('', '},'):
                row_fields(c, None, row.message, None, None, (), None, row.action, row.loc)
    c.blank()
    with c.block('const struct oneway_desc oneway_%s =' % o.name, '};'):
        c('.name = %s,' % cstr(o.name.text))
        exchange_fields(c, spec, ex, o.messages)
        c('.n_rows = %d,' % len(o.rows))
        c('.rows = rows_%s,' % o.name)
    c.blank()


def index(c, spec, kind, decls):
    """All of a kind, and the one of an exchange type."""
    with c.block('const struct %s_desc *const %ss[] =' % (kind, kind), '};'):
        for d in decls:
            c('&%s_%s,' % (kind, d.name))
        if not decls:
            c('NULL')
    c('const size_t n_%ss = %d;' % (kind, len(decls)))
    c.blank()
    with c.function('const struct %s_desc *%s_by_exchange(uint8_t exchange_type)' % (kind, kind)):
        with c.block('switch (exchange_type)'):
            c.depth -= 1
            for d in decls:
                block = next(b for b in spec.messages if b.name.text == d.messages.text)
                c('case %s:' % upper(EXCHANGE_REGISTRY, block.exchange))
                c('\treturn &%s_%s;' % (kind, d.name))
            c('default:')
            c('\treturn NULL;')
            c.depth += 1


def select_source(c, variable, registry, pairs):
    with c.function('bool %s_variant(uint32_t value, enum variant *out)' % variable):
        with c.block('switch (value)'):
            c.depth -= 1
            for variant, symbol in pairs:
                c('case %s:' % upper(registry.name, symbol))
                c('\t*out = %s;' % upper('VARIANT', variant))
                c('\treturn true;')
            c('default:')
            c('\treturn false;')
            c.depth += 1
    with c.function('uint32_t %s_value(enum variant v)' % variable):
        with c.block('switch (v)'):
            c.depth -= 1
            first = {}
            for variant, symbol in pairs:
                first.setdefault(variant, symbol)
            for variant, symbol in first.items():
                c('case %s:' % upper('VARIANT', variant))
                c('\treturn %s;' % upper(registry.name, symbol))
            c('default:')
            c('\treturn 0;')
            c.depth += 1
