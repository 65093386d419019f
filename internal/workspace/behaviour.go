package workspace

import "github.com/sandfhir/sandfhir/internal/behaviour"

// Behaviour returns the behaviour in force.
func (w *Workspace) Behaviour() behaviour.Behaviour { return w.current.Load().behaviour }

// Behaviours returns those that can be asked for by name: what comes with the
// program, and what the workspace began under.
func (w *Workspace) Behaviours() []behaviour.Behaviour {
	list := behaviour.Builtin()
	if _, err := behaviour.Named(list, w.cfg.Behaviour.Name); err != nil {
		list = append(list, w.cfg.Behaviour)
	}
	return list
}

// ChangeBehaviour replaces the behaviour in force by what change makes of it,
// in both environments at once and from the next request on. Where change
// returns an error nothing happens.
func (w *Workspace) ChangeBehaviour(change func(behaviour.Behaviour) (behaviour.Behaviour, error)) error {
	w.changing.Lock()
	defer w.changing.Unlock()
	before := w.current.Load()
	b, err := change(before.behaviour)
	if err != nil {
		return err
	}
	next, err := before.under(b)
	if err != nil {
		return err
	}
	w.current.Store(next)
	return nil
}

// under returns the state under another behaviour.
func (s *state) under(b behaviour.Behaviour) (*state, error) {
	next := &state{behaviour: b, epoch: s.epoch, envs: map[string]*Environment{}}
	for name, e := range s.envs {
		env, err := e.Under(b)
		if err != nil {
			return nil, err
		}
		next.envs[name] = env
	}
	return next, nil
}

// Under returns the environment under another behaviour, for one request: it is
// cheap.
func (e *Environment) Under(b behaviour.Behaviour) (*Environment, error) {
	auth, err := e.Auth.With(b.Authz())
	if err != nil {
		return nil, err
	}
	return &Environment{Name: e.Name, Auth: auth, export: b.Exports(), resources: e.resources}, nil
}
