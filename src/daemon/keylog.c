/* keylog.c -- Wireshark's user tables: Preferences, Protocols, ISAKMP and ESP. */
#include "daemon/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

struct keylog {
	int ike, esp;
};

/* The names of Wireshark, 3.0 and later, for our algorithms. */
static const char *const cipher_names[ALG_COUNT] = {
	[ALG_NULL] = "NULL",
	[ALG_3DES_CBC] = "TripleDES-CBC [RFC2451]",
	[ALG_AES_CBC] = "AES-CBC [RFC3602]",
	[ALG_AES_GCM_16] = "AES-GCM with 16 octet ICV [RFC4106]",
	[ALG_AES_GCM_12] = "AES-GCM with 12 octet ICV [RFC4106]",
	[ALG_AES_GCM_8] = "AES-GCM with 8 octet ICV [RFC4106]",
};

static const char *const mac_names[ALG_COUNT] = {
	[ALG_NONE] = "NULL",
	[ALG_HMAC_MD5_96] = "HMAC-MD5-96 [RFC2403]",
	[ALG_HMAC_SHA1_96] = "HMAC-SHA-1-96 [RFC2404]",
	[ALG_HMAC_SHA2_256_128] = "HMAC-SHA-256-128 [RFC4868]",
	[ALG_HMAC_SHA2_384_192] = "HMAC-SHA-384-192 [RFC4868]",
	[ALG_HMAC_SHA2_512_256] = "HMAC-SHA-512-256 [RFC4868]",
};

static int open_table(const char *directory, const char *name, struct text *why)
{
	char *path = xprintf("%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		text_add(why, "cannot open %s: %s; --wireshark-keys wants a directory that pluto may "
			      "write into", path, strerror(errno));
	else if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
		text_add(why, "%s may be read by others; remove it, or chmod 600 it", path);
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

struct keylog *keylog_open(const char *directory, struct text *why)
{
	struct keylog *k = NEW(struct keylog);

	k->esp = -1;
	k->ike = open_table(directory, "ikev1_decryption_table", why);
	if (k->ike >= 0)
		k->esp = open_table(directory, "esp_sa", why);
	if (k->esp >= 0)
		return k;
	keylog_close(k);
	return NULL;
}

static void add_esp(struct text *t, const struct sa_keys *s)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	text_add(t, "\"%s\",\"%s\",\"%s\",\"0x%08x\",\"%s\",\"0x", s->dst.len == 4 ? "IPv4" : "IPv6",
		 addr_format(&s->src, src), addr_format(&s->dst, dst), s->spi, cipher_names[s->cipher]);
	text_hex(t, s->cipher_key);
	text_add(t, "\",\"%s\",\"", mac_names[s->mac]);
	if (s->mac_key.n != 0)
		text_add(t, "0x");
	text_hex(t, s->mac_key);
	text_add(t, "\"\n");
}

void keylog_add(struct keylog *k, const struct sa_keys *s)
{
	char room[1024];
	struct text t = text_on(room, sizeof(room));

	if (s->cipher >= ALG_COUNT || s->mac >= ALG_COUNT)
		return;
	if (s->ike) {
		text_hex(&t, s->icookie);
		text_add(&t, ",");
		text_hex(&t, s->cipher_key);
		text_add(&t, "\n");
	} else if (cipher_names[s->cipher] != NULL && mac_names[s->mac] != NULL) {
		add_esp(&t, s);
	}
	if (!t.cut && write(s->ike ? k->ike : k->esp, room, t.n) < 0)
		return;		/* a full disk must not stop the keying */
	wipe(room, sizeof(room));
}

void keylog_close(struct keylog *k)
{
	if (k == NULL)
		return;
	if (k->ike >= 0)
		close(k->ike);
	if (k->esp >= 0)
		close(k->esp);
	free(k);
}
