package vigil

import "net/netip"

// NetworkOf returns the network by which an address is learnt: its /24 for
// IPv4, its /48 for IPv6, "local" for a socket on the same machine, and "" for
// what is no address. A port, brackets or a zone are ignored.
func NetworkOf(addr string) string {
	if addr == "" {
		return ""
	}
	if addr == "[local]" || addr == "local" || addr == "localhost" {
		return "local"
	}
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		ap, perr := netip.ParseAddrPort(addr)
		if perr != nil {
			if len(addr) > 2 && addr[0] == '[' && addr[len(addr)-1] == ']' {
				return NetworkOf(addr[1 : len(addr)-1])
			}
			return ""
		}
		ip = ap.Addr()
	}
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}
