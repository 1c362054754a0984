/*
 * link.c - tcp_info, apart: linux/tcp.h cannot be read beside netinet/tcp.h,
 * whose structure ends before the delivery rate.
 */
#include "link.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

uint64_t link_rate(int fd, bool *at_least)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return 0;
	*at_least = info.tcpi_delivery_rate_app_limited;
	return info.tcpi_delivery_rate;
}
