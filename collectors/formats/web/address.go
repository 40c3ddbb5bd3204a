package web

import (
	"net/netip"
	"strings"
)

// maxProxies bounds the addresses of X-Forwarded-For that are looked at.
const maxProxies = 64

// Client picks the client's address. When the connection came from a private address, a
// proxy's, it is the last public address of X-Forwarded-For before the operator's own
// proxies: all before that one is the client's to invent.
func (f *Fields) Client(proxies int) string {
	addr := f.value[FieldAddress]
	if strings.HasPrefix(addr, "unix:") {
		addr = "local"
	}
	if i := strings.LastIndexByte(addr, ','); i >= 0 {
		f.Set(FieldForwarded, addr)
		addr = strings.TrimSpace(addr[i+1:])
	}
	list := f.value[FieldForwarded]
	if list == "" || list == "-" || public(addr) {
		return addr
	}
	all := strings.Split(list, ",")
	if len(all) > maxProxies {
		all = all[len(all)-maxProxies:]
	}
	for i := len(all) - 1; i >= 0; i-- {
		if a := strings.TrimSpace(all[i]); public(a) {
			if proxies == 0 {
				return a
			}
			proxies--
		}
	}
	if first := strings.TrimSpace(all[0]); IsAddress(first) {
		return first
	}
	return addr
}

// IsAddress reports whether s is an IP address and nothing else.
func IsAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// WithoutPort takes the port off an address and port.
func WithoutPort(s string) string {
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().String()
	}
	return s
}

func public(s string) bool {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}
