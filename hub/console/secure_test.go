package console

import (
	"encoding/csv"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parvis/hub/people"
)

// answered is what the console answers to a request.
func (c *Console) answered(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.Handler().ServeHTTP(w, r)
	return w
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	cookie := c.session(t, ids[people.Admin])
	for _, path := range []string{"/connexion", "/agents", "/nulle-part", "/compte/double-authentification", "/journal/export.csv"} {
		w := c.answered(asked(t, "GET", path, cookie))
		for header, want := range map[string]string{
			"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "same-origin",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Strict-Transport-Security":    "max-age=31536000",
			"Cache-Control":                "no-store",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		if body := w.Body.String(); strings.Contains(body, "<script>") || strings.Contains(body, "style=") || strings.Contains(body, "onclick=") {
			t.Errorf("%s has a script or a style inside", path)
		}
	}
	c.url.Scheme = "http"
	if got := c.answered(asked(t, "GET", "/connexion", nil)).Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("without https, Strict-Transport-Security is %q", got)
	}
}

func TestStaticFiles(t *testing.T) {
	t.Parallel()
	c, _ := newTestConsole(t)
	w := c.answered(asked(t, "GET", c.assets.path("parvis.css"), nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("the sheet: %d, %v", w.Code, w.Header())
	}
	w = c.answered(asked(t, "GET", "/static/parvis.css?v=older", nil))
	if w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("an older sheet: %q", w.Header().Get("Cache-Control"))
	}
	for _, path := range []string{"/static/nothing", "/static/", "/static/../console.go", "/static/templates/layout.html"} {
		if w := c.answered(asked(t, "GET", path, nil)); w.Code == http.StatusOK {
			t.Errorf("%s is handed out", path)
		}
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	path, err := c.People.Invite(t.Context(), ids[people.Agent])
	must(t, err)
	const password = "tilleul bateau orange violon"
	_, err = c.People.Accept(t.Context(), strings.TrimPrefix(path, people.LinkPath), "", "", password)
	must(t, err)
	signIn := func(cookie *http.Cookie) *http.Cookie {
		t.Helper()
		r := asked(t, "POST", "/connexion?"+url.Values{"email": {"agent@ville.fr"}, "password": {password}}.Encode(), cookie)
		if w := c.answered(r); w.Code != http.StatusUnprocessableEntity {
			t.Fatalf("what stands in the address signs in: %d", w.Code)
		}
		form := url.Values{"email": {"agent@ville.fr"}, "password": {password}}.Encode()
		r = httptest.NewRequest("POST", "https://parvis.example/connexion", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != nil {
			r.AddCookie(cookie)
		}
		w := c.answered(r)
		cookies := w.Result().Cookies()
		if w.Code != http.StatusSeeOther || len(cookies) != 1 {
			t.Fatalf("signing in answers %d with %d cookies", w.Code, len(cookies))
		}
		return cookies[0]
	}
	first := signIn(nil)
	if first.Name != "__Host-parvis" || !first.Secure || !first.HttpOnly || first.SameSite != http.SameSiteLaxMode || first.Path != "/" || first.Domain != "" || first.MaxAge != 0 {
		t.Errorf("the cookie is %+v", first)
	}
	// One that was planted is worth nothing after signing in.
	planted := &http.Cookie{Name: "__Host-parvis", Value: "PLANTED"}
	if got := signIn(planted); got.Value == planted.Value {
		t.Error("the planted token is signed in")
	}
	again := signIn(first)
	if again.Value == first.Value {
		t.Error("the token stays the same at sign-in")
	}
	if w := c.answered(asked(t, "GET", "/compte", first)); w.Code != http.StatusSeeOther {
		t.Errorf("the token from before opens: %d", w.Code)
	}
	if w := c.answered(asked(t, "GET", "/compte", again)); w.Code != http.StatusOK {
		t.Errorf("the new token doesn't open: %d", w.Code)
	}
	// Signing out ends it on the hub, not only in the browser.
	c.answered(asked(t, "POST", "/deconnexion", again))
	if w := c.answered(asked(t, "GET", "/compte", again)); w.Code != http.StatusSeeOther {
		t.Errorf("after signing out the token opens: %d", w.Code)
	}
	// What the store has for a token doesn't open.
	last := signIn(nil)
	ctx, err := c.sessions.Load(t.Context(), last.Value)
	must(t, err)
	if w := c.answered(asked(t, "GET", "/compte", &http.Cookie{Name: last.Name, Value: c.sessionID(ctx)})); w.Code != http.StatusSeeOther {
		t.Errorf("the hash of a token opens: %d", w.Code)
	}
}

// What another site's page sends changes nothing.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	cookie := c.session(t, ids[people.Admin])
	for name, headers := range map[string]map[string]string{
		"cross-site":       {"Sec-Fetch-Site": "cross-site"},
		"same-site":        {"Sec-Fetch-Site": "same-site"},
		"an older browser": {"Origin": "https://evil.example"},
		"another port":     {"Origin": "https://parvis.example:444"},
		"no secrets":       {"Origin": "null"},
	} {
		r := asked(t, "POST", "/agents/"+ids[people.Reader]+"/suspendre", cookie)
		r.Header.Del("Sec-Fetch-Site")
		for key, value := range headers {
			r.Header.Set(key, value)
		}
		w := c.answered(r)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "autre site") {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	p, err := c.People.Person(t.Context(), ids[people.Reader])
	must(t, err)
	if !p.Disabled.IsZero() {
		t.Error("another site has suspended somebody")
	}
	w := c.answered(asked(t, "POST", "/agents/"+ids[people.Reader]+"/suspendre", cookie))
	if w.Code != http.StatusSeeOther {
		t.Errorf("our own page can't: %d", w.Code)
	}
}

func TestLargeForm(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	r := httptest.NewRequest("POST", "https://parvis.example/agents", strings.NewReader("name="+strings.Repeat("a", maxForm)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(c.session(t, ids[people.Admin]))
	if w := c.answered(r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "Formulaire illisible") {
		t.Errorf("a large form: %d", w.Code)
	}
}

// The page that was asked for before signing in is one of ours, or the first.
func TestOwnPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"":                         "/",
		"/bornes/MN-01":            "/bornes/MN-01",
		"/journal?jour=2026-11-21": "/journal?jour=2026-11-21",
		"//evil.example":           "/",
		"/\\evil.example":          "/",
		"https://evil.example/":    "/",
		"javascript:alert(1)":      "/",
		"bornes":                   "/",
		"/%zz":                     "/",
		"\t//evil.example":         "/",
	} {
		if got := ownPath(path); got != want {
			t.Errorf("%q leads to %q", path, got)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	c := &Console{Options: Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}}
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:1234", "", "192.0.2.1"},
		{"192.0.2.1:1234", "203.0.113.7", "192.0.2.1"}, // not one of our proxies: it may say anything
		{"10.0.0.1:1234", "203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:1234", "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"},
		{"[::1]:1234", "2001:db8::1", "2001:db8::1"},
		{"10.0.0.1:1234", "made up", "10.0.0.1"},
		{"10.0.0.1:1234", "", "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.remote
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := c.address(r); got != tt.want {
			t.Errorf("%+v is %q", tt, got)
		}
	}
}

// A spreadsheet must not take what somebody wrote for a formula.
func TestExportedLog(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	for _, name := range []string{`=HYPERLINK("https://evil.example")`, "+33 6 12", "-1", "@SUM(A1)", "\t=1", "  =1", "Anne; \"Roth\""} {
		must(t, c.People.Audit(t.Context(), people.Entry{Name: name, Action: people.CommandGiven, Borne: "MN-01", Detail: map[string]string{"b": "2", "a": "1"}}))
	}
	w := c.answered(asked(t, "GET", "/journal/export.csv?borne=MN-01", c.session(t, ids[people.IT])))
	body, marked := strings.CutPrefix(w.Body.String(), "\ufeff")
	if !marked || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="journal-parvis-`) {
		t.Errorf("exported with %v", w.Header())
	}
	reader := csv.NewReader(strings.NewReader(body))
	reader.Comma = ';'
	lines, err := reader.ReadAll()
	must(t, err)
	if len(lines) != 8 || lines[0][2] != "Personne" {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	var names []string
	for _, l := range lines[1:] {
		names = append(names, l[2])
		if l[3] != "Commande donnée" || l[4] != "MN-01" || l[6] != "a : 1 ; b : 2" {
			t.Errorf("a line is %q", l)
		}
	}
	want := `Anne; "Roth"|'  =1|'` + "\t" + `=1|'@SUM(A1)|'-1|'+33 6 12|'=HYPERLINK("https://evil.example")`
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("the names are %q", got)
	}
	// Who took it away stands in the log.
	taken, err := c.People.Log(t.Context(), people.Filter{Action: people.AuditExported})
	must(t, err)
	if len(taken) != 1 || taken[0].Person != ids[people.IT] {
		t.Errorf("noted: %+v", taken)
	}
}

// The address that somebody signs in with stands in the log when it changes:
// who takes an account over by it is found out.
func TestChangedAddressIsNoted(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	form := url.Values{"name": {"agent"}, "email": {"eve@ville.fr"}, "role": {"agent"}}
	r := httptest.NewRequest("POST", "https://parvis.example/agents/"+ids[people.Agent], strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(c.session(t, ids[people.Admin]))
	if w := c.answered(r); w.Code != http.StatusSeeOther {
		t.Fatalf("answered %d", w.Code)
	}
	lines, err := c.People.Log(t.Context(), people.Filter{Action: people.PersonRenamed})
	must(t, err)
	if len(lines) != 1 || !strings.Contains(lines[0].Detail["avant"], "agent@ville.fr") || !strings.Contains(lines[0].Detail["après"], "eve@ville.fr") {
		t.Errorf("noted: %+v", lines)
	}
}

// What somebody types for an unknown account may be a password: it is kept nowhere.
func TestTypedWrongIsNotKept(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	for _, email := range []string{"mon mot de passe secret", "agent@ville.fr"} {
		r := httptest.NewRequest("POST", "https://parvis.example/connexion", strings.NewReader(url.Values{"email": {email}, "password": {"faux secret"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := c.answered(r)
		if !strings.Contains(w.Body.String(), "Adresse électronique ou mot de passe incorrect.") {
			t.Errorf("%q answers %d", email, w.Code)
		}
	}
	lines, err := c.People.Log(t.Context(), people.Filter{})
	must(t, err)
	if len(lines) != 2 || lines[0].Person != ids[people.Agent] || lines[1].Person != "" || lines[1].Name != "Compte inconnu" {
		t.Fatalf("noted: %+v", lines)
	}
	for _, l := range lines {
		if text := l.Name + l.Object + detailText(l.Detail); strings.Contains(text, "secret") {
			t.Errorf("the log holds what was typed: %s", text)
		}
	}
}

func TestFactorIsAskedFor(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	must(t, c.People.SetFactorFor(t.Context(), []people.Role{people.IT}))
	w := c.answered(asked(t, "GET", "/", c.session(t, ids[people.IT])))
	if w.Header().Get("Location") != "/compte/double-authentification" {
		t.Errorf("IT is sent to %q", w.Header().Get("Location"))
	}
	if w := c.answered(asked(t, "GET", "/compte", c.session(t, ids[people.IT]))); w.Code != http.StatusOK {
		t.Errorf("the account answers %d", w.Code)
	}
	if w := c.answered(asked(t, "GET", "/", c.session(t, ids[people.Agent]))); w.Code != http.StatusOK {
		t.Errorf("an agent gets %d", w.Code)
	}
}

func TestFrenchTimes(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	now := time.Date(2026, 11, 21, 10, 42, 0, 0, paris) // a Saturday
	plain := strings.NewReplacer(fixed, " ", narrow, " ").Replace
	for _, tt := range []struct{ got, want string }{
		{ago(now.Add(-8*time.Second), now), "il y a 8 s"},
		{ago(now.Add(-119*time.Second), now), "il y a 1 min"},
		{ago(now.Add(-2*time.Hour), now), "il y a 2 h"},
		{ago(now.Add(-50*time.Hour), now), "il y a 2 j"},
		{ago(now.Add(time.Second), now), "à l’instant"},
		{ago(time.Time{}, now), "jamais"},
		{since(now.Add(-90*time.Minute), now), "9 h 12"},
		{since(now.Add(-24*time.Hour), now), "hier"},
		{since(now.AddDate(0, 0, -5), now), "lundi"},
		{since(now.AddDate(0, 0, -7), now), "14 novembre"},
		{since(time.Date(2025, 5, 1, 8, 0, 0, 0, paris), now), "1er mai 2025"},
		{since(time.Time{}, now), "—"},
		{moment(now.Add(-11*time.Hour), now), "hier, 23 h 42"},
		// The night of the change of hour has 25 hours.
		{day(time.Date(2026, 10, 25, 0, 30, 0, 0, paris), time.Date(2026, 10, 26, 0, 15, 0, 0, paris)), "hier"},
		{number(1204), "1 204"},
		{number(-1234567), "−1 234 567"},
		{number(999), "999"},
		{plural(1, "borne", "bornes"), "1 borne"},
		{plural(0, "borne", "bornes"), "0 borne"},
		{plural(1204, "borne", "bornes"), "1 204 bornes"},
		{left(now.Add(23*time.Hour+59*time.Minute), now), "23 h"},
		{left(now.Add(10*time.Minute), now), "10 min"},
	} {
		if plain(tt.got) != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

// What can't be mended by the reader gets a reference, under which the log says
// more; nothing of the inside shows.
func TestInternalError(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	c, ids := newTestConsole(t)
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	cookie := c.session(t, ids[people.Agent])
	must(t, c.Store.Close())
	for _, cookie := range []*http.Cookie{nil, cookie} { // in the handler, and before it
		log.Reset()
		w := c.answered(asked(t, "GET", "/connexion", cookie))
		reference := regexp.MustCompile(`référence ([0-9a-f]{8})`).FindStringSubmatch(w.Body.String())
		if w.Code != http.StatusInternalServerError || reference == nil || !strings.Contains(log.String(), "ref="+reference[1]) {
			t.Fatalf("answered %d: %s; logged %s", w.Code, w.Body, log.String())
		}
		if strings.Contains(w.Body.String(), "database") || strings.Contains(w.Body.String(), "sql") {
			t.Errorf("the page says what is none of the reader's business: %s", w.Body)
		}
	}
	// Whoever reads the log must not be let in by it.
	for _, path := range []string{people.LinkPath, agendaPath} {
		log.Reset()
		if w := c.answered(asked(t, "GET", path+"TOKENOFALINK.ics", nil)); w.Code != http.StatusInternalServerError || !strings.Contains(log.String(), path+"…") || strings.Contains(log.String(), "TOKENOFALINK") {
			t.Errorf("answered %d; logged %s", w.Code, log.String())
		}
	}
}

// Who has given a password and owes a code is nobody yet, and not for long.
func TestCodeIsOwed(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	now := time.Now()
	c.Now = func() time.Time { return now }
	ctx, err := c.sessions.Load(t.Context(), "")
	must(t, err)
	c.sessions.Put(ctx, keyPending, ids[people.Admin])
	c.sessions.Put(ctx, keySince, now.UTC().Format(time.RFC3339))
	token, _, err := c.sessions.Commit(ctx)
	must(t, err)
	cookie := &http.Cookie{Name: c.sessions.Cookie.Name, Value: token}
	if w := c.answered(asked(t, "GET", "/agents", cookie)); w.Code != http.StatusSeeOther {
		t.Errorf("without a code, /agents answers %d", w.Code)
	}
	if w := c.answered(asked(t, "GET", "/connexion/code", cookie)); w.Code != http.StatusOK {
		t.Errorf("the page for the code answers %d", w.Code)
	}
	now = now.Add(pendingFor + time.Second)
	if w := c.answered(asked(t, "GET", "/connexion/code", cookie)); w.Code != http.StatusSeeOther {
		t.Errorf("after ten minutes the page for the code answers %d", w.Code)
	}
	if w := c.answered(asked(t, "POST", "/connexion/code", cookie)); !strings.Contains(w.Body.String(), "trop de temps") {
		t.Errorf("after ten minutes the form answers %d", w.Code)
	}
}
