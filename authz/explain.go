package authz

import "context"

// Explain decides a token request as Token does, by the same rules in the same
// order, and issues and remembers nothing: the grant of a request that would
// be granted has no access token, and the assertion stays unused, so that it
// can be explained again and posted afterwards. The client's published key set
// is fetched as for a token request.
func (s *Server) Explain(ctx context.Context, req FormRequest) *TokenDecision {
	a := s.attempt(TokenEndpoint, req)
	a.dry = true
	return a.decide(ctx)
}

// Examine decides a token request as Explain does and goes on where Explain
// ends: after a rule that does not hold, every rule that can be judged without
// it is, so that all mistakes come to light at once. The decision's Err is the
// first refusal, the one that the client would get.
func (s *Server) Examine(ctx context.Context, req FormRequest) *TokenDecision {
	a := s.attempt(TokenEndpoint, req)
	a.dry, a.thorough = true, true
	return a.decide(ctx)
}
