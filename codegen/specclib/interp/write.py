"""Payloads and messages written from values by name: what the emitters do, but every derived field may be
given too, so that wrong messages can be made.

values: uint -> int; bytes and zero -> bytes; lists of payloads -> list of values; slices -> list of bytes;
attributes -> list of bytes, each an attribute as tv() and tlv() make it."""

from .attributes import TV


def tv(kind, value):
	return (kind | TV).to_bytes(2, "big") + value.to_bytes(2, "big")


def tlv(kind, value):
	return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


class Writer:
	def __init__(self, model):
		self.model = model

	def payload(self, struct, values, np=0):
		"""The octets of one payload or struct."""
		out, length_at = bytearray(), None
		half = None
		for f in struct.fields:
			if f.kind == "uint":
				v = self.number(struct, f, values, np)
				if f.constraint == "size_self" and f.name not in values:
					length_at = len(out), f
				if f.bits == 4:
					if half is None:
						half = v
					else:
						out.append(half << 4 | v)
						half = None
				else:
					out += v.to_bytes(f.bits // 8, "big")
			else:
				out += self.octets(f, values)
		out += values.get("", b"")		# octets behind the last field
		if length_at is not None:
			at, f = length_at
			out[at:at + f.bits // 8] = len(out).to_bytes(f.bits // 8, "big")
		return bytes(out)

	def number(self, struct, f, values, np):
		if f.name in values:
			return values[f.name]
		if f.chain:
			return np
		if f.constraint in ("const", "bits"):
			return f.values[0]
		if f.counts is not None:
			return len(values.get(f.counts, ()))
		for name in f.sizes:
			sized = struct.field(name)
			v = values.get(name, b"")
			return (len(v[0]) if v else 0) if sized.kind == "slices" else len(v)
		return 0

	def octets(self, f, values):
		v = values.get(f.name)
		if f.kind == "zero":
			return v if v is not None else bytes(f.min)
		if f.kind == "bytes":
			return v if v is not None else bytes(f.min)
		if f.kind == "structs":
			return self.nested(f.element, v or [])
		return b"".join(v or ())

	def nested(self, struct, items):
		last = len(items) - 1
		return b"".join(self.payload(struct, v, struct.number if i < last else 0)
			for i, v in enumerate(items))

	def message(self, header, payloads, trailing=b""):
		"""header: values of the header's fields; payloads: [(Struct, values)].  np and length are derived."""
		body = b""
		for i, (struct, values) in enumerate(payloads):
			np = payloads[i + 1][0].number if i + 1 < len(payloads) else 0
			body += self.payload(struct, values, np)
		body += trailing
		struct = self.model.structs["header"]
		first = payloads[0][0].number if payloads else 0
		head = dict(header)
		head.setdefault("np", first)
		size = len(self.payload(struct, head))
		head.setdefault("length", size + len(body))
		return self.payload(struct, head) + body
