package authz

import "context"

// Explain decides a token request by the same rules as Token, and issues and
// remembers nothing: the grant has no access token, and the assertion can
// still be posted afterwards. A published key set is fetched as for Token.
func (s *Server) Explain(ctx context.Context, req FormRequest) *TokenDecision {
	a := s.attempt(TokenEndpoint, req)
	a.dry = true
	return a.decide(ctx)
}

// Examine is Explain that goes on after a refusal, with every rule that can
// still be judged, so that all mistakes come to light at once. The decision's
// Err is the first refusal: the one that Token would answer.
func (s *Server) Examine(ctx context.Context, req FormRequest) *TokenDecision {
	a := s.attempt(TokenEndpoint, req)
	a.dry, a.thorough = true, true
	return a.decide(ctx)
}
