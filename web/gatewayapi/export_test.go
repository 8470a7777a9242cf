package gatewayapi

// How the dialects read what a proxy says.
var (
	NginxFacts       = nginxFacts
	ForwardAuthFacts = forwardAuthFacts
	EnvoyFacts       = envoyFacts
)
