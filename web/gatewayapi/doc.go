// Package gatewayapi speaks with reverse proxies about requests that they want to let
// through to an API, one file per dialect, and signs people in at the hosts behind them
// (/.signet/). It turns what a trusted proxy says into facts and a verdict into the answer
// that the proxy understands; authz/gateway decides. Bodies of requests are never read.
//
// What a request itself carried under Authorization and the Remote-… headers is for the
// proxy to replace: the configurations in docs/integrate do, and are tested here.
package gatewayapi
