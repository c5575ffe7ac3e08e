//! Which addresses may be connected to: deny by default, judged on the address itself, after DNS.
//!
//! The networks are those of the IANA special-purpose address registries (RFC 6890 and its updates).

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not the public internet: network, prefix length.
const CLOSED_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network (RFC 791)
    ([10, 0, 0, 0], 8),      // private (RFC 1918)
    ([100, 64, 0, 0], 10),   // carrier-grade NAT (RFC 6598)
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, cloud metadata (RFC 3927)
    ([172, 16, 0, 0], 12),   // private (RFC 1918)
    ([192, 0, 0, 0], 24),    // IETF protocol assignments (RFC 6890)
    ([192, 0, 2, 0], 24),    // documentation (RFC 5737)
    ([192, 88, 99, 0], 24),  // 6to4 relays, deprecated (RFC 7526)
    ([192, 168, 0, 0], 16),  // private (RFC 1918)
    ([198, 18, 0, 0], 15),   // benchmarks (RFC 2544)
    ([198, 51, 100, 0], 24), // documentation (RFC 5737)
    ([203, 0, 113, 0], 24),  // documentation (RFC 5737)
    ([224, 0, 0, 0], 4),     // multicast (RFC 5771)
    ([240, 0, 0, 0], 4),     // reserved, and broadcast (RFC 1112)
];

/// Closed networks inside `2000::/3`; everything outside is closed anyway (`::`, `::1`, v4-mapped,
/// NAT64 `64:ff9b::/96`, `100::/64`, `fc00::/7`, `fe80::/10`, `fec0::/10`, `ff00::/8` …).
const CLOSED_V6: &[([u16; 2], u32)] = &[
    ([0x2001, 0x0000], 23), // protocol assignments: Teredo, ORCHID, benchmarks (RFC 2928)
    ([0x2001, 0x0db8], 32), // documentation (RFC 3849)
    ([0x2002, 0x0000], 16), // 6to4: carries any IPv4 address (RFC 3056)
    ([0x3fff, 0x0000], 20), // documentation (RFC 9637)
];

/// Whether `ip` may be connected to: it is public, or one of the networks in `allow` holds it.
#[must_use]
pub fn allowed(ip: IpAddr, allow: &[IpNet]) -> bool {
    inside(ip, allow)
        || match ip {
            IpAddr::V4(ip) => public_v4(ip),
            IpAddr::V6(ip) => public_v6(ip),
        }
}

/// Whether one of the networks in `allow` holds `ip`. A v4-mapped address (`::ffff:10.0.0.1`) is also
/// looked for as the IPv4 address that it reaches.
#[must_use]
pub fn inside(ip: IpAddr, allow: &[IpNet]) -> bool {
    let canonical = ip.to_canonical();
    allow.iter().any(|net| net.contains(&ip) || net.contains(&canonical))
}

fn public_v4(ip: Ipv4Addr) -> bool {
    let bits = ip.to_bits();
    !CLOSED_V4.iter().any(|&(net, length)| same_prefix(bits, u32::from_be_bytes(net), length))
}

fn public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let bits = u32::from(first) << 16 | u32::from(second);
    let closed = |&([a, b], length): &([u16; 2], u32)| same_prefix(bits, u32::from(a) << 16 | u32::from(b), length);
    same_prefix(bits, 0x2000_0000, 3) && !CLOSED_V6.iter().any(closed)
}

/// Whether the first `length` bits agree; `length` is 1 to 32.
fn same_prefix(a: u32, b: u32, length: u32) -> bool {
    (a ^ b) >> (32 - length) == 0
}
