package identity

// Provider is with whom people sign in besides.
type Provider struct{ name string }

// Name is what people know the provider by.
func (p *Provider) Name() string { return p.name }
