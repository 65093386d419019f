package httpapi

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/web"
)

// dataPath is the page of the environment's data, relative to the page that is
// asked for.
func (l *call) dataPath(env string) string {
	if env == authz.Production && !l.atProd {
		return l.workspacePath() + "production/_sandbox/data"
	}
	return l.workspacePath() + "_sandbox/data"
}

// dataSite is what the pages of data have in common.
func (l *call) dataSite() web.DataSite {
	return web.DataSite{Site: l.site(), Environment: l.env.Name, Data: l.dataPath(l.env.Name)}
}

// dataPage shows a person what there is; done says what was done, and problem what
// could not be.
func (l *call) dataPage(done, problem string) error {
	v, err := l.dataCounts()
	if err != nil {
		return err
	}
	page := web.DataPage{DataSite: l.dataSite(), Total: v.Total, Done: done, Problem: problem}
	other := authz.Production
	if l.env.Name == authz.Production {
		other = authz.Sandbox
	}
	if !l.server.twoOrigins() {
		page.Other, page.OtherData = other, l.dataPath(other)
	}
	for _, t := range v.Types {
		page.Types = append(page.Types, web.TypeCount{Page: page.Data + "/" + t.Type, Type: t.Type, Count: t.Count})
	}
	_, page.Evolves = l.env.Population()
	return l.page(page)
}

// changeDataByForm loads a file, moves the population on or begins anew, as the
// page's forms say.
func (l *call) changeDataByForm() error {
	if strings.HasPrefix(l.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		return l.loadByForm()
	}
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	if form.Get("reset") != "" {
		if err := l.workspace.Reset(l.UserContext()); err != nil {
			return err
		}
		return l.Redirect(l.dataPath(l.env.Name)+"?done=reset", fiber.StatusSeeOther)
	}
	days, err := strconv.Atoi(form.Get("days"))
	if err == nil {
		_, err = l.env.Evolve(l.UserContext(), days)
	}
	if err != nil {
		l.Status(fiber.StatusBadRequest)
		return l.dataPage("", sentence(err.Error()))
	}
	return l.dataPage("The population has moved on by "+strconv.Itoa(days)+" days.", "")
}

func (l *call) loadByForm() error {
	text, err := l.uploaded()
	var v loadedView
	if err == nil {
		v, err = l.load(text)
	}
	var refused *httpError
	if errors.As(err, &refused) {
		l.Status(refused.status)
		return l.dataPage("", sentence(refused.message))
	}
	if err != nil {
		return err
	}
	return l.dataPage("Loaded "+strconv.FormatInt(v.Resources, 10)+" resources.", strings.Join(v.Warnings, "\n"))
}

func (l *call) dataTypePage(v typeView, problem string) error {
	page := web.DataTypePage{DataSite: l.dataSite(), Type: v.Type, Total: v.Total, Problem: problem, Query: plainQuery(l.query())}
	page.Here = page.Data + "/" + v.Type
	for _, r := range v.Resources {
		page.Resources = append(page.Resources, web.ResourceRow{
			Page: page.Data + "/" + v.Type + "/" + r.ID, ID: r.ID, Version: r.Version, At: r.At, Display: r.Display,
		})
	}
	if v.Next != "" {
		page.Next = page.Data + "/" + v.Type + "?" + v.Next
	}
	return l.page(page)
}

// plainQuery is a query as people write it.
func plainQuery(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// dataQuery leads the search form, which has one field for all of a query, to the
// page with that query.
func (l *call) dataQuery() error {
	form, err := l.readPageForm()
	if err != nil {
		return err
	}
	query := url.Values{}
	for _, pair := range strings.Split(strings.TrimPrefix(form.Get("query"), "?"), "&") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			query.Add(name, value)
		}
	}
	return l.Redirect(l.dataPath(l.env.Name)+"/"+url.PathEscape(l.Params("type"))+"?"+query.Encode(), fiber.StatusSeeOther)
}

func (l *call) dataResourcePage(v resourceView) error {
	page := web.DataResourcePage{DataSite: l.dataSite(), Type: v.Type, ID: v.ID, Version: v.Version, JSON: v.Resource}
	page.OfType = page.Data + "/" + v.Type
	at := page.OfType + "/" + v.ID
	for _, version := range v.Versions {
		page.Versions = append(page.Versions, web.VersionRow{Page: at + "?version=" + version.Version, Version: version.Version, At: version.At, Deleted: version.Deleted})
	}
	for _, to := range v.References {
		page.References = append(page.References, web.DataLink{Page: page.Data + "/" + to, Text: to})
	}
	for _, r := range v.Referrers {
		query := url.Values{r.Parameter: {v.Type + "/" + v.ID}}
		page.Referrers = append(page.Referrers, web.DataLink{
			Page: page.Data + "/" + r.Type + "?" + query.Encode(), Text: r.Type, Note: "by " + r.Parameter, Count: r.Count,
		})
	}
	return l.page(page)
}
