package meta

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// paramPerson is the simulator's own: which link of the dialog was chosen.
const paramPerson = "sim_person"

var dialogParams = []string{
	"client_id", "redirect_uri", "state", "scope", "response_type", "code_challenge", "code_challenge_method",
	"auth_type", "display", paramPerson,
}

// dialog is where a person consents: whoever was chosen at the control endpoint,
// else whoever is clicked on. What is wrong with the request itself is shown and
// never sent to the redirect URI.
func (s *server) dialog(w http.ResponseWriter, r *http.Request, req *request) {
	app, known := s.world.App(req.platform, req.params.Get("client_id"))
	back, wrong := dialogTarget(req, app, known)
	if wrong != "" {
		s.dialogPage(w, http.StatusBadRequest, dialogView{Error: wrong})
		return
	}
	choice, chosen := s.choice(req)
	if !chosen {
		s.dialogPage(w, http.StatusOK, s.choices(req, app))
		return
	}
	s.sendBack(w, r, req, back, choice)
}

// dialogTarget is where the dialog sends people back to, or what is wrong.
func dialogTarget(req *request, app world.App, known bool) (back *url.URL, wrong string) {
	q := req.params
	if req.unknown(dialogParams...) != nil || req.method != http.MethodGet {
		return nil, "This request is not valid."
	}
	if kind := q.Get("response_type"); !known || kind != "" && kind != "code" {
		return nil, "Invalid app, or a response_type other than code."
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	listed := len(app.RedirectURIs) == 0 || slices.Contains(app.RedirectURIs, q.Get("redirect_uri"))
	if err != nil || back.Host == "" || !listed {
		return nil, "URL blocked: the redirect URI is not on the app's list."
	}
	return back, ""
}

func (s *server) choice(req *request) (world.Choice, bool) {
	switch clicked := req.params.Get(paramPerson); {
	case clicked == "":
		return s.world.Chosen(req.platform)
	case clicked == "-":
		return world.Choice{Deny: true}, true
	case req.platform == world.Instagram:
		return world.Choice{Account: clicked}, true
	default:
		return world.Choice{Person: clicked}, true
	}
}

func (s *server) sendBack(w http.ResponseWriter, r *http.Request, req *request, back *url.URL, choice world.Choice) {
	q := back.Query()
	if req.params.Has("state") {
		q.Set("state", req.params.Get("state"))
	}
	if choice.Deny {
		q.Set("error", "access_denied")
		q.Set("error_reason", "user_denied")
		q.Set("error_description", "Permissions error")
	} else {
		asked := strings.FieldsFunc(req.params.Get("scope"), func(r rune) bool { return r == ',' || r == ' ' })
		code, err := s.world.Authorize(world.Consent{
			Platform: req.platform, Client: req.params.Get("client_id"), Person: choice.Person, Account: choice.Account,
			Scopes: choice.Granted(asked), RedirectURI: req.params.Get("redirect_uri"), Challenge: req.params.Get("code_challenge"),
		})
		if err != nil {
			s.dialogPage(w, http.StatusBadRequest, dialogView{Error: "Nobody of that kind can consent."})
			return
		}
		q.Set("code", code)
	}
	back.RawQuery = q.Encode()
	// The redirect URI is on the app's list, or the app allows any.
	http.Redirect(w, r, back.String(), http.StatusFound)
}

type dialogView struct {
	App, Error string
	People     []dialogPerson
	Deny       string
}

type dialogPerson struct{ Name, Link string }

// maxShown bounds the list: in a large fleet nobody looks for a name here.
const maxShown = 50

// choices are links that consent: people on Facebook, accounts on Instagram.
func (s *server) choices(req *request, app world.App) dialogView {
	link := func(id string) string {
		q := url.Values{}
		for name, values := range req.params {
			q[name] = values
		}
		q.Set(paramPerson, id)
		return "?" + q.Encode()
	}
	out := dialogView{App: app.Name, Deny: link("-")}
	if req.platform == world.Instagram {
		s.world.Accounts(world.Instagram, func(a *world.Account) bool {
			out.People = append(out.People, dialogPerson{"@" + a.Handle, link(a.ID)})
			return len(out.People) < maxShown
		})
	} else {
		for _, p := range s.world.People(world.Facebook, "") {
			if p.Kind == world.Human && !p.Pending && len(out.People) < maxShown {
				out.People = append(out.People, dialogPerson{p.Name, link(p.ID)})
			}
		}
	}
	slices.SortFunc(out.People, func(a, b dialogPerson) int { return strings.Compare(a.Name, b.Name) })
	return out
}

var dialogTemplate = template.Must(template.New("dialog").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Consent (simulated)</title></head>
<body><h1>Consent (simulated)</h1>
{{if .Error}}<p>{{.Error}}</p>{{else}}<p>{{.App}} asks for access. Continue as:</p>
<ul>{{range .People}}<li><a href="{{.Link}}">{{.Name}}</a></li>{{end}}</ul><p><a href="{{.Deny}}">Cancel</a></p>{{end}}
</body></html>
`))

func (s *server) dialogPage(w http.ResponseWriter, status int, v dialogView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = dialogTemplate.Execute(w, v)
}
