"""Packets in the namespaces of the laboratory: pings out of any host, and what is seen on the wire between the gateways."""

import ctypes
import os
import select
import socket
import struct
import time

NEWNET = 0x40000000
PACKET_OUTGOING = 4
ALL = 3		# ETH_P_ALL


def inside(namespace, make):
	"""What make() gives within a namespace; a socket stays there."""
	libc = ctypes.CDLL(None, use_errno=True)
	home = os.open("/proc/self/ns/net", os.O_RDONLY)
	there = os.open("/run/netns/" + namespace, os.O_RDONLY)
	try:
		if libc.setns(there, NEWNET) != 0:
			raise OSError(ctypes.get_errno(), "cannot enter " + namespace)
		return make()
	finally:
		libc.setns(home, NEWNET)
		os.close(there)
		os.close(home)


def checksum(data):
	total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
	while total >> 16:
		total = (total & 0xFFFF) + (total >> 16)
	return ~total & 0xFFFF


class Pinger:
	"""Echo requests from one namespace."""

	def __init__(self, namespace):
		self.socket = inside(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
		self.socket.setblocking(False)
		self.number = os.getpid() & 0xFFFF
		self.sequence = 0

	def send(self, address):
		self.sequence = (self.sequence + 1) & 0xFFFF
		body = bytes(range(56))
		head = struct.pack(">BBHHH", 8, 0, 0, self.number, self.sequence)
		head = struct.pack(">BBHHH", 8, 0, checksum(head + body), self.number, self.sequence)
		try:
			self.socket.sendto(head + body, (address, 0))
		except OSError:
			pass	# no route: it is not answered, either
		return self.sequence

	def answered(self, sequence, seconds):
		end = time.monotonic() + seconds
		while True:
			left = end - time.monotonic()
			if left <= 0 or not select.select([self.socket], [], [], left)[0]:
				return False
			try:
				packet = self.socket.recv(2048)
			except OSError:		# of an earlier one: unreachable
				continue
			icmp = packet[4 * (packet[0] & 15):]
			if len(icmp) >= 8 and icmp[0] == 0 and struct.unpack(">HH", icmp[4:8]) == (self.number, sequence):
				return True

	def ping(self, address, seconds=2.0):
		return self.answered(self.send(address), seconds)


def kind(ip):
	"""What an IPv4 packet is: ESP and AH, ESP in UDP, IKE, an echo in clear, or else."""
	protocol, body = ip[9], ip[4 * (ip[0] & 15):]
	if protocol in (50, 51):
		return "ESP" if protocol == 50 else "AH"
	if protocol == 1:
		return "echo in clear" if body[:1] in (b"\0", b"\x08") else "ICMP"
	if protocol == 17 and len(body) >= 8:
		ports, data = struct.unpack(">HH", body[:4]), body[8:]
		if 4500 in ports:
			return "keepalive" if data == b"\xff" else "IKE" if data[:4] == b"\0\0\0\0" else "ESP in UDP"
		if 500 in ports:
			return "IKE"
	return "protocol %d" % protocol


class Wire:
	"""Every packet that comes in at a port of the bridge, once."""

	def __init__(self, namespace):
		self.socket = inside(namespace, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL)))
		self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
		self.socket.setblocking(False)

	def take(self, addresses):
		"""Kinds of the packets between these two since the last call, and how many."""
		found, ends = {}, {socket.inet_aton(a) for a in addresses}
		while True:
			try:
				frame, (name, protocol, direction, *_) = self.socket.recvfrom(2048)
			except BlockingIOError:
				return found
			if name == "br0" or direction == PACKET_OUTGOING or protocol != 0x0800:
				continue
			ip = frame[14:]
			if len(ip) < 20 or not {ip[12:16], ip[16:20]} & ends:
				continue
			what = kind(ip)
			found[what] = found.get(what, 0) + 1
