/* How a warden is started: directives, the way back, a network to join. */
#ifndef HENGE_HANDOVER_H
#define HENGE_HANDOVER_H

/* What it finds open, whoever has started it: the daemon itself, or henge-helper on its word. */
#define REQUEST_FD 3
#define ANSWER_FD 4
#define NETWORK_FD 5

#endif
