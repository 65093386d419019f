package httpapi

// A GuardedRoute is a route that stands behind the guard of the controls.
type GuardedRoute struct{ Method, Path string }

// GuardedRoutes lists them all.
func GuardedRoutes() (list []GuardedRoute) {
	for _, r := range routeTable() {
		if surfaceOf(r.path) == plainSurface && !r.public {
			list = append(list, GuardedRoute{r.method, r.path})
		}
	}
	return list
}

// PublicRoutes lists the paths of the portal and the controls that are open to
// everyone.
func PublicRoutes() (list []string) {
	for _, r := range routeTable() {
		if surfaceOf(r.path) == plainSurface && r.public {
			list = append(list, r.method+" "+r.path)
		}
	}
	return list
}
