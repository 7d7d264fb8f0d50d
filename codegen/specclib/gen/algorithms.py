"""algorithms.h, algorithms.c: what the algorithms are, sizes in octets; the MODP primes are computed here."""

from .cwriter import WIDTH, cstr, finish, start, upper, width_of
from .resolve import cite

KINDS = ("hash", "cipher", "aead", "mac", "modp", "ecp", "montgomery", "compression")
MAX_KEYS = 4
PURPOSE = "what the algorithms are: sizes in octets."

DESC = """\
struct alg_desc {
	const char *name;
	enum alg_kind kind;
	uint8_t n_keys;		/* how many key sizes there are */
	uint16_t keys[%d];	/* ascending, without the salt */
	uint16_t block, iv, icv, salt, output;
	enum alg hash;		/* of a mac: the hash below it */
	uint16_t bits;		/* of a group: size of its field */
	uint16_t exponent;	/* of a group: random octets of a private value */
	uint16_t public_;	/* of a group: octets of a public value */
	uint16_t shared;	/* of a group: octets of the shared secret */
	uint16_t strength;	/* of a group: in bits */
	uint8_t generator;	/* of a modp group */
	const uint8_t *prime;	/* of a modp group: big-endian, prime_n octets */
	uint16_t prime_n;
	uint8_t window;		/* of a compression: bits of the distance it looks back */
	uint16_t least;		/* of a compression: octets below which it is not worth trying */
};""" % MAX_KEYS


def outputs(model):
	algorithms = list(model.algorithms.values())
	return {"algorithms.h": header(algorithms), "algorithms.c": source(algorithms)}


def pi_floor(bits):
	"""floor(2^bits * pi), by Machin's formula in integers."""
	guard = 64
	one = 1 << (bits + guard)

	def arctan_inverse(x):
		power, total, divisor, sign = one // x, 0, 1, 1
		while power:
			total += sign * (power // divisor)
			power //= x * x
			divisor += 2
			sign = -sign
		return total

	return 4 * (4 * arctan_inverse(5) - arctan_inverse(239)) >> guard


def modp_prime(bits, add):
	"""The prime of RFC 2409, section 6, and RFC 3526, whose middle is taken from pi."""
	return 2**bits - 2**(bits - 64) - 1 + 2**64 * (pi_floor(bits - 130) + add)


def enum_name(alg):
	return upper("ALG", alg.name)


def prime_name(alg):
	return "prime_" + alg.name


def header(algorithms):
	c = start("algorithms.h", PURPOSE, ["<stdint.h>"])
	with c.block("enum alg", "};"):
		c("ALG_NONE,")
		for alg in algorithms:
			c(enum_name(alg) + ",")
		c("ALG_COUNT")
	c.blank()
	with c.block("enum alg_kind", "};"):
		c("ALG_KIND_NONE,")
		for kind in KINDS:
			c(upper("ALG_KIND", kind) + ",")
	c.blank()
	c(DESC)
	c.blank()
	c.comment("Indexed by enum alg; the entry ALG_NONE is empty.")
	c("extern const struct alg_desc alg_table[ALG_COUNT];")
	return finish(c, "algorithms.h")


def source(algorithms):
	c = start("algorithms.c", PURPOSE, ["generated/algorithms.h"])
	for alg in algorithms:
		if alg.kind == "modp":
			prime(c, alg)
	with c.block("const struct alg_desc alg_table[ALG_COUNT] =", "};"):
		c('[ALG_NONE] = { .name = "none" },')
		for alg in algorithms:
			c.comment(cite(alg.decl))
			with c.block("[%s] =" % enum_name(alg), "},"):
				members(c, alg)
	return finish(c, "algorithms.c")


def prime(c, alg):
	bits, add = alg.get("bits"), alg.get("add")
	data = modp_prime(bits, add).to_bytes(bits // 8, "big")
	c.comment("2^%d - 2^%d - 1 + 2^64 * (floor(2^%d pi) + %d), %s"
		% (bits, bits - 64, bits - 130, add, cite(alg.decl)))
	with c.block("static const uint8_t %s[%d] =" % (prime_name(alg), len(data)), "};"):
		for at in range(0, len(data), 12):
			c(" ".join("0x%02x," % octet for octet in data[at:at + 12]))
	c.blank()


def members(c, alg):
	"""The initialisers, as many to a line as fit."""
	line = ""
	for member in initialisers(alg):
		if line and width_of("\t\t" + line + " " + member + ",") > WIDTH:
			c(line)
			line = ""
		line += (" " if line else "") + member + ","
	c(line)


def initialisers(alg):
	yield ".name = " + cstr(alg.name)
	yield ".kind = " + upper("ALG_KIND", alg.kind)
	keys = alg.properties.get("key", [])
	if keys:
		if len(keys) > MAX_KEYS or list(keys) != sorted(keys):
			raise SystemExit("%s: at most %d key sizes, ascending" % (cite(alg.decl), MAX_KEYS))
		yield ".n_keys = %d" % len(keys)
		yield ".keys = { %s }" % ", ".join(map(str, keys))
	for name in ("block", "iv", "icv", "salt", "output"):
		if alg.get(name):
			yield ".%s = %d" % (name, alg.get(name))
	if alg.get("hash"):
		yield ".hash = " + enum_name(alg.get("hash"))
	if alg.get("bits"):
		octets = (alg.get("bits") + 7) // 8
		yield ".bits = %d" % alg.get("bits")
		yield ".exponent = %d" % alg.get("exponent")
		yield ".public_ = %d" % (alg.get("public") or octets)
		yield ".shared = %d" % (alg.get("shared") or octets)
		yield ".strength = %d" % alg.get("strength")
	if alg.kind == "modp":
		yield ".generator = %d" % alg.get("generator")
		yield ".prime = " + prime_name(alg)
		yield ".prime_n = sizeof(%s)" % prime_name(alg)
	if alg.kind == "compression":
		yield ".window = %d" % alg.get("window")
		yield ".least = %d" % alg.get("least")
