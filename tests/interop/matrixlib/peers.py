"""What cannot be, and why: a rule is (reason, {axis: values}); a case that all of it fits is not tried.

What is said of a peer is true of the versions that Debian 12 has (strongSwan 5.9.8, libreswan 4.10) in IKEv1."""

PEERS = ("strongswan", "libreswan", "pluto")


def rules(aead, ah):
	"""aead: ciphers of ESP that authenticate; ah: hashes that AH has."""
	def outside(values):
		return lambda value: value not in values
	return [
		("this cipher authenticates by itself", {"esp": aead, "mac": outside({"-"})}),
		("pluto has no ESP without authentication", {"esp": outside(aead), "mac": {"-"}}),
		("AH has no such hash", {"esp": {"ah"}, "mac": outside(ah)}),
		("AH cannot pass a NAT (RFC 3948, 1)", {"esp": {"ah"}, "natt": {"natt"}}),
		("libreswan was built without MODP768 and MODP1024",
			{"peer": {"libreswan"}, "group": {"modp768", "modp1024"}}),
		("libreswan was built without MODP768 and MODP1024",
			{"peer": {"libreswan"}, "pfs": {"modp768", "modp1024"}}),
		("libreswan has elliptic curves in phase 1 of IKEv1 only",
			{"peer": {"libreswan"}, "pfs": {"ecp256", "ecp384", "ecp521", "curve25519"}}),
	]


def fits(condition, value):
	return condition(value) if callable(condition) else value in condition


def why_not(rules, case):
	"""The reason why a case cannot be, else None. A case may be a part: what it leaves open forbids nothing."""
	for reason, conditions in rules:
		if all(axis in case and fits(condition, case[axis]) for axis, condition in conditions.items()):
			return reason
	return None
