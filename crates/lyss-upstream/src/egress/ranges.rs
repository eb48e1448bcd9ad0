//! What counts as a public address.
//!
//! Follows IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890 and successors), read strictly: a
//! range that may be internal anywhere is not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const NOT_PUBLIC_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),        // this host
    v4([10, 0, 0, 0], 8),       // private
    v4([100, 64, 0, 0], 10),    // carrier-grade NAT; one cloud's metadata service
    v4([127, 0, 0, 0], 8),      // loopback
    v4([168, 63, 129, 16], 32), // Azure's host agent, the one metadata service on a public-looking address
    v4([169, 254, 0, 0], 16),   // link-local; most clouds' metadata services
    v4([172, 16, 0, 0], 12),    // private
    v4([192, 0, 0, 0], 24),     // protocol assignments
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 88, 99, 0], 24),   // 6to4 relays, withdrawn
    v4([192, 168, 0, 0], 16),   // private
    v4([198, 18, 0, 0], 15),    // benchmarking
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 3),      // multicast, reserved, broadcast
];

/// The only part of IPv6 from which addresses are given out. Loopback, unique-local, link-local, site-local, NAT64
/// (64:ff9b::/96 and 64:ff9b:1::/48), discard-only and multicast all lie outside.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0], 3);

const NOT_PUBLIC_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0], 23),     // protocol assignments, Teredo among them
    v6([0x2001, 0xdb8, 0], 32), // documentation
    v6([0x2002, 0, 0], 16),     // 6to4
    v6([0x3fff, 0, 0], 20),     // documentation
];

const TEREDO: Ipv6Net = v6([0x2001, 0, 0], 32);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0], 16);
const NAT64_LOCAL: Ipv6Net = v6([0x64, 0xff9b, 1], 48);

/// Prefixes of 96 bits whose last 32 are an IPv4 address: NAT64 (RFC 6052) and SIIT (RFC 2765).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];
const TRANSLATED: [u16; 6] = [0, 0, 0, 0, 0xffff, 0];
const COMPATIBLE: [u16; 6] = [0; 6];

pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !NOT_PUBLIC_V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) => GLOBAL_UNICAST.contains(&ip) && !NOT_PUBLIC_V6.iter().any(|net| net.contains(&ip)),
    }
}

/// The IPv4 addresses that an IPv6 address leads to when a translator or a tunnel stands on the way; Teredo names two,
/// the client's and the server's. An IPv4-mapped address is not meant here: it is made canonical before.
pub(super) fn carried_v4(ip: IpAddr) -> [Option<Ipv4Addr>; 2] {
    let IpAddr::V6(ip) = ip else { return [None, None] };
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let last = joined(g, h);
    let prefix = [a, b, c, d, e, f];
    if TEREDO.contains(&ip) {
        return [Some(joined(!g, !h)), Some(joined(c, d))];
    }
    let carried = if SIX_TO_FOUR.contains(&ip) {
        Some(joined(b, c))
    } else if prefix == COMPATIBLE {
        // `::` and `::1` are addresses of their own.
        (last.to_bits() > 1).then_some(last)
    } else if prefix == NAT64 || prefix == TRANSLATED || NAT64_LOCAL.contains(&ip) {
        // A local NAT64 may place the address elsewhere (RFC 8215); only the common layout can be read back.
        Some(last)
    } else if matches!(e, 0 | 0x200) && f == 0x5efe {
        // ISATAP (RFC 5214) under any prefix.
        Some(last)
    } else {
        None
    };
    [carried, None]
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

const fn v4([a, b, c, d]: [u8; 4], prefix_bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_bits)
}

const fn v6([a, b, c]: [u16; 3], prefix_bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix_bits)
}
