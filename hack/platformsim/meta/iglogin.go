package meta

import (
	"net/http"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// codeIG is api.instagram.com: a code for a token of an hour.
func (s *server) codeIG(req *request, c *call) answer {
	if bad := c.unknown("client_id", "client_secret", "grant_type", "redirect_uri", "code"); bad != nil {
		return failed(s.asIG(bad))
	}
	if c.params.Get("grant_type") != "authorization_code" {
		return failed(s.asIG(badParameter("Invalid grant_type")))
	}
	a := s.spendCode(req, c, world.Instagram, func(issued world.Issued) []byte {
		o := field.Begin(nil)
		write := func(o *field.Object) {
			o.Text("access_token", issued.Access)
			writeNumber(o, "user_id", issued.Account)
			o.Text("permissions", strings.Join(issued.Scopes, ","))
		}
		if s.opts.IGTokenInData {
			o.List("data", 1, func(_ int, o *field.Object) { write(o) })
		} else {
			write(o)
		}
		return o.End()
	})
	a.bad = s.asIG(a.bad)
	return a
}

// ownToken is the live Instagram token that a token endpoint is asked about.
func (s *server) ownToken(c *call, grant string) (caller, *problem) {
	if c.method != http.MethodGet {
		return caller{}, noCapability()
	}
	if c.params.Get("grant_type") != grant {
		return caller{}, badParameter("Invalid grant_type")
	}
	who, bad := s.recognise(c.token)
	if bad == nil && who.kind != igCaller {
		bad = badToken(0, "Invalid OAuth access token - Cannot parse access token")
	}
	return who, bad
}

// exchangeIG makes a token of 60 days out of one of an hour.
func (s *server) exchangeIG(req *request, c *call) answer {
	if bad := c.unknown("grant_type", "client_secret"); bad != nil {
		return failed(s.asIG(bad))
	}
	who, bad := s.ownToken(c, grantLongIG)
	if bad != nil {
		return failed(s.asIG(bad))
	}
	if !s.world.AppSecretIs(world.Instagram, who.token.Client, c.params.Get("client_secret")) {
		return failed(s.asIG(badClient()))
	}
	value, bad := s.mintToken(req, who.token, longIGLife)
	if bad != nil {
		return failed(bad)
	}
	return answer{body: tokenBody(value, longIGLife)}
}

// refreshIG lengthens a token's life.
func (s *server) refreshIG(req *request, c *call) answer {
	if bad := c.unknown("grant_type"); bad != nil {
		return failed(s.asIG(bad))
	}
	who, bad := s.ownToken(c, grantRefresh)
	if bad != nil {
		return failed(s.asIG(bad))
	}
	if s.world.Now().Sub(who.token.Issued) < refreshableIG {
		return failed(s.asIG(badParameter("The access token has to be at least 24 hours old")))
	}
	value := who.value
	if s.opts.IGRefreshSame {
		s.world.Extend(world.Instagram, value, longIGLife)
	} else if value, bad = s.mintToken(req, who.token, longIGLife); bad != nil {
		return failed(bad)
	}
	if s.opts.IGRefreshEnds && !s.opts.IGRefreshSame {
		s.world.End(world.Instagram, who.value, world.ReachToken, world.CauseUsed)
	}
	o := field.Begin(nil)
	o.Text("access_token", value)
	o.Text("token_type", "bearer")
	o.Int("expires_in", int64(longIGLife.Seconds()))
	o.Text("permissions", strings.Join(who.token.Scopes, ","))
	return answer{body: o.End()}
}
