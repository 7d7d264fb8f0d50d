"""keys.h, keys.c: the values that keys, hashes and IVs are made of, and the formulas."""

from ..ast import Name
from .cwriter import WIDTH, cstr, finish, start, width_of
from .exchange import Keys, mask, place
from .resolve import spec_of

FUNCTIONS = {'prf': 'KEY_PRF', 'prf_plus': 'KEY_PRF_PLUS', 'stretch': 'KEY_STRETCH',
             'hash': 'KEY_HASH', 'sign': 'KEY_SIGN', 'concat': 'KEY_CONCAT'}


def outputs(model):
    keys = Keys(spec_of(model))
    return {'keys.h': header(keys), 'keys.c': source(keys)}


def header(keys):
    c = start('keys.h', 'the values of key derivation and the formulas that make them.',
              ['base/tables.h'])
    c.comment('Inputs, what formulas make of them, and bodies of payloads, which the engine '
              'captures when a message passes.')
    with c.block('enum key_value', '};'):
        c('KEY_NONE,')
        for v in keys.values.values():
            text = v.text or '; '.join(with_variants(f) for f in keys.formulas_of(v.name))
            line = '%s,\t/* %s */' % (v.c, text)
            if width_of('\t' + line) > WIDTH:
                c.comment(text)
                line = v.c + ','
            c(line)
        c('KEY_VALUE_COUNT')
    c.blank()
    c.comment('Indexed by enum key_value; the entry of KEY_NONE is empty.')
    c('extern const struct value_desc key_values[KEY_VALUE_COUNT];')
    c.blank()
    c.comment('All formulas in the order of the spec: a value that two variants make in '
              'different ways has two.')
    c('extern const struct key_formula key_formulas[];')
    c('extern const size_t n_key_formulas;')
    c.blank()
    c.comment('The formula that makes v under the variants of an exchange (a mask, 0 = none is '
              'known); NULL if v is not made by a formula, or by none of these variants.')
    c('const struct key_formula *key_formula(enum key_value v, uint32_t variants);')
    return finish(c, 'keys.h')


def with_variants(f):
    return '%s: %s' % (', '.join(f.variants), f.text) if f.variants else f.text


def source(keys):
    c = start('keys.c', 'the values of key derivation and the formulas that make them.',
              ['generated/keys.h', 'generated/messages.h'])
    with c.block('const struct value_desc key_values[KEY_VALUE_COUNT] =', '};'):
        for v in keys.values.values():
            fields = ['.name = %s' % cstr(v.name), '.source = %s' % v.source]
            fields += ['.%s = true' % flag for flag in ('retain', 'secret') if getattr(v, flag)]
            line = '[%s] = { %s },' % (v.c, ', '.join(fields))
            if width_of('\t' + line) <= WIDTH:
                c(line)
                continue
            with c.block('[%s] =' % v.c, '},'):
                c(', '.join(fields) + ',')
    c.blank()
    for i, f in enumerate(keys.formulas):
        terms(c, keys, i, f)
    formulas(c, keys)
    lookup(c, keys)
    return finish(c, 'keys.c')


def label(keys, i):
    """terms_hash_i, or terms_skeyid_psk where one name has several formulas."""
    f = keys.formulas[i]
    same = len(keys.formulas_of(f.result)) > 1
    return '_'.join(['terms', f.result.lower()] + (list(f.variants) if same else []))


def terms(c, keys, i, f):
    """The terms of one formula; a formula without terms has no array."""
    if not f.terms:
        return
    c.comment('%s = %s: %s (%s)' % (f.result, f.text, f.clauses.citation(), place(f.loc)))
    with c.block('static const struct key_term %s[] =' % label(keys, i), '};'):
        for t in f.terms:
            if isinstance(t, Name):
                c('{ .value = %s },' % keys.c(t))
            else:
                c('{ .literal = 0x%02x },' % t.value)
    c.blank()


def formulas(c, keys):
    with c.block('const struct key_formula key_formulas[] =', '};'):
        for i, f in enumerate(keys.formulas):
            with c.block('', '},'):
                c('.result = %s,' % keys.c(f.result))
                if f.variants:
                    c('.variants = %s,' % mask(f.variants))
                c('.fn = %s,' % FUNCTIONS[f.fn])
                if f.key:
                    c('.key = %s,' % keys.c(f.key))
                if f.terms:
                    c('.n_terms = sizeof(%s) / sizeof(%s[0]),' % (label(keys, i), label(keys, i)))
                    c('.terms = %s,' % label(keys, i))
                c('.text = %s,' % cstr(f.text))
    c('const size_t n_key_formulas = sizeof(key_formulas) / sizeof(key_formulas[0]);')
    c.blank()


def lookup(c, keys):
    order = {id(f): i for i, f in enumerate(keys.formulas)}
    with c.function('const struct key_formula *key_formula(enum key_value v, uint32_t variants)'):
        with c.block('switch (v)'):
            c.depth -= 1
            for v in keys.values.values():
                found = keys.formulas_of(v.name)
                if not found:
                    continue
                c('case %s:' % v.c)
                with c.indent():
                    choose(c, found, order)
            c('default:')
            c('\treturn NULL;')
            c.depth += 1


def choose(c, found, order):
    """One formula for all, or the one whose variants are meant."""
    for f in found:
        if not f.variants:
            c('return &key_formulas[%d];' % order[id(f)])
            return
        c('if ((variants & (%s)) != 0)' % mask(f.variants))
        c('\treturn &key_formulas[%d];' % order[id(f)])
    c('return NULL;')
