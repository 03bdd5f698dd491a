// SPDX-License-Identifier: GPL-2.0
/* XDP, and AF_XDP without a copy on any queue: its frames take the place of the page pool's buffers there. */
#include <linux/bpf_trace.h>
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <net/netdev_lock.h>
#include <net/xdp_sock_drv.h>

#include "zcnic.h"

#define ZCNIC_SEND_MAX	(ZCNIC_SEGS * PAGE_SIZE)	/* bytes of a packet out of several frames */

/* reception */

static struct xdp_buff *zcnic_frame(struct zcnic_queue *q, struct xdp_buff *first)
{
	if (READ_ONCE(q->zc->faults.nobuf) || (first && !(q->xsk->umem->flags & XDP_UMEM_SG_FLAG)))
		return NULL;
	return xsk_buff_alloc(q->xsk);
}

/* The DMA engine, as zcnic_dma(): a packet into as many frames as it takes. */
static struct xdp_buff *zcnic_xsk_dma(struct zcnic_queue *q, const struct sk_buff *wire)
{
	struct xdp_buff *first = NULL, *xdp;
	u32 pos, len;

	for (pos = 0; pos < wire->len; pos += len) {
		xdp = zcnic_frame(q, first);
		if (!xdp)
			goto err;
		len = min(wire->len - pos, xsk_pool_get_rx_frame_size(q->xsk));
		skb_copy_bits(wire, pos, zcnic_dma_to_virt(q->zc, xsk_buff_xdp_get_dma(xdp)), len);
		xsk_buff_set_size(xdp, len);
		xsk_buff_dma_sync_for_cpu(xdp);
		if (!first) {
			first = xdp;
		} else if (!xsk_buff_add_frag(first, xdp)) {
			xsk_buff_free(xdp);
			goto err;
		}
	}
	return first;
err:
	if (first)
		xsk_buff_free(first);
	return NULL;
}

/* The packet goes on in an skb, by a copy. False: it does not. */
static bool zcnic_xsk_pass(struct zcnic_queue *q, struct xdp_buff *xdp, const struct sk_buff *wire, bool back)
{
	struct sk_buff *skb = xdp_build_skb_from_zc(xdp);

	if (!skb)
		return false;
	if (back) {
		skb_push(skb, ETH_HLEN);
		zcnic_send(q->zc, skb);
		return true;
	}
	if (wire->ip_summed == CHECKSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	napi_gro_receive(&q->napi, skb);
	return true;
}

/* A packet for a queue that AF_XDP has. False: it is lost for want of a frame. */
bool zcnic_xsk_receive(struct zcnic_queue *q, const struct sk_buff *wire)
{
	const struct bpf_prog *prog = rcu_dereference_bh(q->zc->prog);
	struct xdp_buff *xdp = zcnic_xsk_dma(q, wire);
	struct net_device *dev = q->zc->dev;
	u32 act = XDP_PASS;
	bool gone = false;

	if (!xdp)
		return false;
	WRITE_ONCE(q->frames, q->frames + 1);
	if (prog && xdp_buff_has_frags(xdp) && !prog->aux->xdp_has_frags)
		act = XDP_DROP;
	else if (prog)
		act = bpf_prog_run_xdp(prog, xdp);
	switch (act) {
	case XDP_REDIRECT:
		gone = !xdp_do_redirect(dev, xdp, prog);
		break;
	case XDP_PASS:
	case XDP_TX:
		gone = zcnic_xsk_pass(q, xdp, wire, act == XDP_TX);
		break;
	case XDP_DROP:
		break;
	default:
		bpf_warn_invalid_xdp_action(dev, prog, act);
		fallthrough;
	case XDP_ABORTED:
		trace_xdp_exception(dev, prog, act);
	}
	if (!gone)
		xsk_buff_free(xdp);
	return true;
}

/* What is received into pages; false: the program has taken it. */
bool zcnic_xdp_passes(struct zcnic_queue *q, struct sk_buff **skb)
{
	const struct bpf_prog *prog = rcu_dereference_bh(q->zc->prog);

	return !prog || do_xdp_generic(prog, skb) == XDP_PASS;
}

/* transmission */

/* The frames of a packet, one by one; the last puts it on the wire. */
static void zcnic_xsk_fetch(struct zcnic_queue *q, const struct xdp_desc *desc)
{
	bool last = xsk_is_eop_desc(desc);
	dma_addr_t dma = xsk_buff_raw_get_dma(q->xsk, desc->addr);

	if (!q->sending)
		q->sending = alloc_skb(last ? desc->len : ZCNIC_SEND_MAX, GFP_ATOMIC | __GFP_NOWARN);
	xsk_buff_raw_dma_sync_for_device(q->xsk, dma, desc->len);
	if (q->sending && desc->len <= skb_tailroom(q->sending))
		skb_put_data(q->sending, zcnic_dma_to_virt(q->zc, dma), desc->len);
	if (!last)
		return;
	if (q->sending && q->sending->len >= ETH_HLEN) {
		q->sending->dev = q->zc->dev;
		zcnic_send(q->zc, q->sending);
	} else {
		kfree_skb(q->sending);
	}
	q->sending = NULL;
}

/* Up to @budget frames out of the socket's TX ring. Returns how many. */
int zcnic_xsk_send(struct zcnic_queue *q, int budget)
{
	struct xdp_desc desc;
	int nr;

	for (nr = 0; nr < budget && xsk_tx_peek_desc(q->xsk, &desc); nr++)
		zcnic_xsk_fetch(q, &desc);
	if (nr) {
		xsk_tx_completed(q->xsk, nr);
		xsk_tx_release(q->xsk);
	}
	/* Nothing looks there by itself. */
	if (xsk_uses_need_wakeup(q->xsk))
		xsk_set_tx_need_wakeup(q->xsk);
	return nr;
}

int zcnic_xsk_wakeup(struct net_device *dev, u32 queue_id, u32 flags)
{
	struct zcnic *zc = netdev_priv(dev);

	if (!netif_running(dev))
		return -ENETDOWN;
	zcnic_kick(&zc->queues[queue_id]);
	return 0;
}

/* set-up; the netdev's lock is held */

static void zcnic_xsk_swap(struct zcnic_queue *q, struct xsk_buff_pool *pool)
{
	bool running = netif_running(q->zc->dev);

	if (running)
		napi_disable_locked(&q->napi);
	q->xsk = pool;
	kfree_skb(q->sending);
	q->sending = NULL;
	if (running) {
		napi_enable_locked(&q->napi);
		zcnic_kick(q);
	}
}

static int zcnic_xsk_enable(struct zcnic_queue *q, struct xsk_buff_pool *pool)
{
	struct zcnic *zc = q->zc;
	int ret = xsk_pool_dma_map(pool, zc->dev->dev.parent, 0);

	if (ret)
		return ret;
	ret = xdp_rxq_info_reg(&q->rxq, zc->dev, q - zc->queues, 0);
	if (ret)
		goto err_unmap;
	ret = xdp_rxq_info_reg_mem_model(&q->rxq, MEM_TYPE_XSK_BUFF_POOL, NULL);
	if (ret)
		goto err_unreg;
	xsk_pool_set_rxq_info(pool, &q->rxq);
	zcnic_xsk_swap(q, pool);
	return 0;

err_unreg:
	xdp_rxq_info_unreg(&q->rxq);
err_unmap:
	xsk_pool_dma_unmap(pool, 0);
	return ret;
}

static void zcnic_xsk_disable(struct zcnic_queue *q)
{
	struct xsk_buff_pool *pool = q->xsk;

	zcnic_xsk_swap(q, NULL);
	xdp_rxq_info_unreg(&q->rxq);
	xsk_pool_dma_unmap(pool, 0);
}

static int zcnic_xsk_setup(struct zcnic_queue *q, struct xsk_buff_pool *pool)
{
	if (pool)
		return zcnic_xsk_enable(q, pool);
	if (q->xsk)
		zcnic_xsk_disable(q);
	return 0;
}

int zcnic_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	struct zcnic *zc = netdev_priv(dev);
	struct bpf_prog *old;

	switch (bpf->command) {
	case XDP_SETUP_PROG:
		old = rcu_replace_pointer(zc->prog, bpf->prog, true);
		if (old)
			bpf_prog_put(old);
		return 0;
	case XDP_SETUP_XSK_POOL:
		return zcnic_xsk_setup(&zc->queues[bpf->xsk.queue_id], bpf->xsk.pool);
	default:
		return -EINVAL;
	}
}
