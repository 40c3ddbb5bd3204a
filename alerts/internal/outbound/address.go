package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxAddress bounds an address, in bytes.
const maxAddress = 4000

// parse takes an address apart and refuses what only looks like one. Its errors don't
// repeat the address, which may hold a token.
func parse(raw string, private bool) (*url.URL, error) {
	switch {
	case raw == "":
		return nil, errors.New("the address is missing")
	case len(raw) > maxAddress:
		return nil, fmt.Errorf("the address has more than %d characters", maxAddress)
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }):
		return nil, errors.New(`the address holds a space, a backslash or a character that is not ASCII: write the host as "xn--..." and the rest with %-escapes`)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("the address can't be read: give one like https://host/path")
	}
	switch {
	case u.Scheme == "http" && !private:
		return nil, errors.New("the address is http, by which everything would travel in the clear: give an https one, or say allow_private for a service in your own network")
	case u.Scheme != "https" && u.Scheme != "http" || u.Opaque != "":
		return nil, errors.New("the address does not begin with https://")
	case u.User != nil:
		return nil, errors.New("the address holds a user or password before the host: give them by their own settings")
	case u.Fragment != "":
		return nil, errors.New("the address ends in a fragment (#...), which no server sees: remove it")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if err := checkHost(host, private); err != nil {
		return nil, err
	}
	if p := u.Port(); p != "" || strings.HasSuffix(u.Host, ":") {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return nil, errors.New("the address has no valid port")
		}
		if ofOthers[uint16(n)] {
			return nil, fmt.Errorf("port %d is another protocol's, not HTTP's", n)
		}
	}
	return u, nil
}

// checkHost looks at a host as it is written: names are looked at again by what they
// resolve to.
func checkHost(host string, private bool) error {
	if host == "" {
		return errors.New("the address has no host")
	}
	if strings.ContainsAny(host, "%") {
		return errors.New("the address names a network interface (%...), which is no address of a service")
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return check(ip, private)
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	// What ends in a number is meant as an IP address: some resolvers take 127.1,
	// 0x7f000001 and 2130706433 for one, others ask the DNS for it.
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.Trim(last, "0123456789") == "" {
		return errors.New("the host is a number that is no IP address: write the address in full, as 192.0.2.1")
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return errors.New("the address has no valid host name")
		}
	}
	switch {
	case last == "localhost" && !private:
		return errors.New("the host is this machine itself: say allow_private if it shall be")
	case host == "metadata" || host == "metadata.google.internal" || host == "metadata.goog" || host == "instance-data":
		return errors.New("the host is a cloud's metadata service, which is never spoken to")
	}
	return nil
}

// network is a range of addresses and what it is.
type network struct {
	netip.Prefix
	what string
}

func networks(what string, prefixes ...string) []network {
	out := make([]network, 0, len(prefixes))
	for _, p := range prefixes {
		out = append(out, network{netip.MustParsePrefix(p), what})
	}
	return out
}

// never are addresses at which no alert is ever told: IANA's special-purpose registries
// (RFC 6890), and the clouds' metadata services, which give away keys.
var never = concat(
	networks("a cloud's metadata service", "169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
		"fd00:ec2::/32", "fd20:ce::254/128"),
	networks("unspecified", "0.0.0.0/8", "::/128"),
	networks("link-local", "169.254.0.0/16", "fe80::/10"),
	networks("a group of machines (multicast)", "224.0.0.0/4", "ff00::/8"),
	networks("reserved", "240.0.0.0/4", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
		"100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16"),
	networks("a tunnel (Teredo)", "2001::/32"),
	networks("a translator's (NAT64)", "64:ff9b:1::/48"),
)

// own are addresses that the operator has to allow: this machine and its own networks.
var own = concat(
	networks("this machine", "127.0.0.0/8", "::1/128"),
	networks("a private network's", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
)

func concat(lists ...[]network) (all []network) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// check says why an address is not spoken to. Addresses that hold another one (IPv4
// within IPv6, 6to4, NAT64, ISATAP) are what they hold.
func check(ip netip.Addr, private bool) error {
	ip = ip.WithZone("").Unmap()
	for _, n := range never {
		if n.Contains(ip) {
			return fmt.Errorf("the host's address is %s, which is never spoken to", n.what)
		}
	}
	for _, n := range own {
		if n.Contains(ip) {
			if private {
				return nil
			}
			return fmt.Errorf("the host's address is %s: say allow_private if the service is in your own network", n.what)
		}
	}
	if in, ok := held(ip); ok {
		return check(in, private)
	}
	return nil
}

// held is the IPv4 address within an IPv6 one.
func held(ip netip.Addr) (netip.Addr, bool) {
	if !ip.Is6() {
		return netip.Addr{}, false
	}
	b := ip.As16()
	last := netip.AddrFrom4([4]byte(b[12:16]))
	switch {
	case netip.MustParsePrefix("2002::/16").Contains(ip): // 6to4, RFC 3056
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip): // NAT64, RFC 6052
		return last, true
	case netip.MustParsePrefix("::/96").Contains(ip), netip.MustParsePrefix("::ffff:0:0:0/96").Contains(ip): // IPv4-compatible and -translated
		return last, true
	case (b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, RFC 5214
		return last, true
	}
	return netip.Addr{}, false
}

// ofOthers are ports of protocols that could take a request's lines for commands: the
// bad ports of the Fetch standard (WHATWG), and databases' and caches'.
var ofOthers = func() map[uint16]bool {
	m := map[uint16]bool{}
	for _, p := range []uint16{1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123,
		135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
		2049, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211} {
		m[p] = true
	}
	return m
}()

// addressError is what the guard says of an address, once its name is resolved.
type addressError struct{ err error }

func (e *addressError) Error() string { return e.err.Error() }
func (e *addressError) Unwrap() error { return e.err }

// guard looks at an address right before it is connected to, when no answer of the DNS
// can change it any more.
func guard(address string, private bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &addressError{errors.New("the host's address can't be read")}
	}
	if err := check(ap.Addr(), private); err != nil {
		return &addressError{err}
	}
	return nil
}

// hostOf is what errors say of an address: its host, never its path.
func hostOf(u *url.URL) string {
	if u.Port() != "" {
		return net.JoinHostPort(u.Hostname(), u.Port())
	}
	return u.Hostname()
}
