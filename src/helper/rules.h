/* Tells the daemon when its nftables table was changed, whoever did it: nfnetlink's group NFNLGRP_NFTABLES. Node.js has
 * no netlink sockets. */
#ifndef HENGE_RULES_H
#define HENGE_RULES_H

/* Prints «watching» once it hears, then for each transaction that touched the table «changed PID NAME» with the
 * process that made it, or «changed» where the kernel lost what it had to say. Returns an exit code when standard input
 * has ended: its writer is gone. */
int rules_run(const char *table);

#endif
