#include <stdio.h>
#include "world.h"
int main(void)
{
	struct faults none = { .delay_min = 1, .delay_max = 5 };
	struct world *w = world_new(1, &none);
	struct node *a = world_node(w, "east", "192.0.2.1", "secret"), *b = world_node(w, "west", "192.0.2.2", "secret");
	world_verbose(w, true);
	struct control_connection c = sim_connection("net", a, "10.0.1.0/24", b, "10.0.2.0/24");
	node_connection(a, &c); node_connection(b, &c);
	node_listen(a); node_listen(b);
	node_initiate(a, "net");
	world_run(w, 20000);
	printf("agree %d %d out %p %p last %u\n", world_keys_agree(a, b), world_keys_agree(b, a), (void*)node_outbound(a, "10.0.2.0/24"), (void*)node_outbound(b, "10.0.1.0/24"), a->last_status);
	node_shutdown(a, false);
	world_run(w, 20000);
	node_shutdown(b, false);
	world_run(w, 20000);
	printf("sas %p %p stopped %d %d\n", (void*)a->sas, (void*)b->sas, a->stopped, b->stopped);
	world_free(w);
}
