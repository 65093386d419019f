package authz

import (
	"context"
	"net/netip"
	"testing"
)

// SB-KEY-07: which addresses are dialled, once a name has been resolved. The
// rules are tested from inside, since no test may depend on public names.
func TestDialledAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address string
		class   addressClass
	}{
		{"93.184.216.34", publicAddress}, {"2606:4700::1", publicAddress}, {"::ffff:93.184.216.34", publicAddress},
		{"127.0.0.1", loopbackAddress}, {"127.8.9.1", loopbackAddress}, {"::1", loopbackAddress}, {"::ffff:127.0.0.1", loopbackAddress},
		{"10.1.2.3", privateAddress}, {"172.16.0.1", privateAddress}, {"192.168.1.1", privateAddress}, {"fd00::1", privateAddress},
		{"100.64.0.1", privateAddress}, {"198.18.0.1", privateAddress}, {"64:ff9b::a00:1", privateAddress}, {"2002:a00:1::", privateAddress},
		{"169.254.169.254", forbiddenAddress}, {"fe80::1", forbiddenAddress}, {"0.0.0.0", forbiddenAddress}, {"::", forbiddenAddress},
		{"224.0.0.1", forbiddenAddress}, {"255.255.255.255", forbiddenAddress},
	} {
		ip := netip.MustParseAddr(c.address)
		if got := kindOf(ip); got != c.class {
			t.Errorf("%s is of class %d, want %d", c.address, got, c.class)
		}
		for _, reach := range []Reach{ReachPublic, ReachLoopback, ReachPrivate} {
			for _, plain := range []bool{false, true} {
				allowed := map[addressClass]bool{
					publicAddress:   !plain,
					loopbackAddress: reach >= ReachLoopback,
					privateAddress:  reach >= ReachPrivate,
				}[c.class]
				f := NewFetcher(FetchConfig{Reach: reach})
				ctx := context.WithValue(t.Context(), plainKey{}, plain)
				err := f.checkDial(ctx, "tcp", netip.AddrPortFrom(ip, 443).String(), nil)
				if (err == nil) != allowed {
					t.Errorf("%s, reach %d, plain %v: %v, want allowed: %v", c.address, reach, plain, err, allowed)
				}
			}
		}
	}
}
