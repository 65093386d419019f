package authz

// SMARTConfiguration is the document at {FHIR base}/.well-known/
// smart-configuration (SMART App Launch 2.2, conformance, Metadata). It has no
// issuer, which belongs to sso-openid-connect, and no authorization_endpoint,
// which belongs to launches.
type SMARTConfiguration struct {
	TokenEndpoint         string   `json:"token_endpoint"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms   []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	Scopes                []string `json:"scopes_supported"`
	Capabilities          []string `json:"capabilities"`
	CodeChallengeMethods  []string `json:"code_challenge_methods_supported"`
	RegistrationEndpoint  string   `json:"registration_endpoint,omitempty"`
	ManagementEndpoint    string   `json:"management_endpoint,omitempty"`
	IntrospectionEndpoint string   `json:"introspection_endpoint,omitempty"`
	RevocationEndpoint    string   `json:"revocation_endpoint,omitempty"`
}

// AuthorizationServerMetadata is the document at /.well-known/
// oauth-authorization-server (RFC 8414 section 2).
type AuthorizationServerMetadata struct {
	Issuer                      string   `json:"issuer"`
	TokenEndpoint               string   `json:"token_endpoint"`
	JWKSURI                     string   `json:"jwks_uri,omitempty"`
	TokenAuthMethods            []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms         []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	GrantTypes                  []string `json:"grant_types_supported"`
	ResponseTypes               []string `json:"response_types_supported"`
	Scopes                      []string `json:"scopes_supported"`
	CodeChallengeMethods        []string `json:"code_challenge_methods_supported"`
	RegistrationEndpoint        string   `json:"registration_endpoint,omitempty"`
	IntrospectionEndpoint       string   `json:"introspection_endpoint,omitempty"`
	IntrospectionAuthMethods    []string `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	IntrospectionAuthAlgorithms []string `json:"introspection_endpoint_auth_signing_alg_values_supported,omitempty"`
	RevocationEndpoint          string   `json:"revocation_endpoint,omitempty"`
	RevocationAuthMethods       []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	RevocationAuthAlgorithms    []string `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
}

// SMARTConfiguration returns the discovery document for the addresses of a
// request. Endpoints without an address are left out.
func (s *Server) SMARTConfiguration(a Addresses) SMARTConfiguration {
	return SMARTConfiguration{
		TokenEndpoint:        a.TokenURL,
		TokenAuthMethods:     s.behaviour.authMethods(),
		TokenAuthAlgorithms:  s.behaviour.Algorithms,
		GrantTypes:           []string{GrantClientCredentials},
		ResponseTypes:        []string{},
		Scopes:               s.behaviour.scopesSupported(),
		Capabilities:         s.behaviour.capabilities(),
		CodeChallengeMethods: []string{"S256"},

		RegistrationEndpoint:  a.RegistrationURL,
		ManagementEndpoint:    a.PortalURL,
		IntrospectionEndpoint: a.IntrospectionURL,
		RevocationEndpoint:    a.RevocationURL,
	}
}

// Metadata returns the RFC 8414 document for the addresses of a request.
func (s *Server) Metadata(a Addresses) AuthorizationServerMetadata {
	m := AuthorizationServerMetadata{
		Issuer:               a.Issuer,
		TokenEndpoint:        a.TokenURL,
		JWKSURI:              a.JWKSURL,
		TokenAuthMethods:     s.behaviour.authMethods(),
		TokenAuthAlgorithms:  s.behaviour.Algorithms,
		GrantTypes:           []string{GrantClientCredentials},
		ResponseTypes:        []string{},
		Scopes:               s.behaviour.scopesSupported(),
		CodeChallengeMethods: []string{"S256"},

		RegistrationEndpoint:  a.RegistrationURL,
		IntrospectionEndpoint: a.IntrospectionURL,
		RevocationEndpoint:    a.RevocationURL,
	}
	if a.IntrospectionURL != "" {
		m.IntrospectionAuthMethods, m.IntrospectionAuthAlgorithms = m.TokenAuthMethods, m.TokenAuthAlgorithms
	}
	if a.RevocationURL != "" {
		m.RevocationAuthMethods, m.RevocationAuthAlgorithms = m.TokenAuthMethods, m.TokenAuthAlgorithms
	}
	return m
}

func (b Behaviour) authMethods() []string {
	methods := []string{string(PrivateKeyJWT)}
	if b.SecretsOffered {
		methods = append(methods, string(ClientSecretBasic), string(ClientSecretPost))
	}
	return methods
}

func (b Behaviour) capabilities() []string {
	capabilities := []string{"client-confidential-asymmetric"}
	if b.SecretsOffered {
		capabilities = append(capabilities, "client-confidential-symmetric")
	}
	if b.takesScopeVersion(2) {
		capabilities = append(capabilities, "permission-v2")
	}
	if b.takesScopeVersion(1) {
		capabilities = append(capabilities, "permission-v1")
	}
	return capabilities
}

// scopesSupported lists the wildcard scopes; the scopes of single types follow
// the same pattern and would make the document long.
func (b Behaviour) scopesSupported() []string {
	var scopes []string
	if b.takesScopeVersion(2) {
		scopes = append(scopes, "system/*.cruds", "system/*.rs")
	}
	if b.takesScopeVersion(1) {
		scopes = append(scopes, "system/*.read", "system/*.write", "system/*.*")
	}
	return scopes
}
