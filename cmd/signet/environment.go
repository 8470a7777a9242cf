package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"

	"github.com/signet-auth/signet/authz"
)

const (
	envPrefix   = "SIGNET_"
	maxFileSize = 64 << 10
)

// foreign reports variables that are not settings although they have our prefix: the one
// that names the file, those of tests, and those that Kubernetes makes for a service that
// is called signet.
func foreign(name string) bool {
	return name == "CONFIG" || name == "PORT" || strings.HasPrefix(name, "TEST_") ||
		strings.HasPrefix(name, "PORT_") || strings.HasPrefix(name, "SERVICE_")
}

func fromEnvironment(environ []string, known map[string]given) (map[string]given, error) {
	out := map[string]given{}
	var failed error
	take := func(variable, text string) (string, any) {
		name := strings.TrimPrefix(variable, envPrefix)
		if foreign(name) || text == "" || failed != nil {
			return "", nil
		}
		key, err := readVariable(variable, &text, known)
		if _, twice := out[key]; twice && err == nil {
			err = fmt.Errorf("%s and %s_FILE are both set: keep one", variableOf(key), variableOf(key))
		}
		if err != nil {
			failed = err
			return "", nil
		}
		out[key] = given{text, variable}
		return key, text
	}
	k := koanf.New(".")
	provider := env.Provider(".", env.Opt{
		Prefix: envPrefix, TransformFunc: take, EnvironFunc: func() []string { return environ },
	})
	if err := k.Load(provider, nil); err != nil {
		return nil, fmt.Errorf("read environment: %w", err)
	}
	return out, failed
}

// readVariable finds the setting that a variable is for. SIGNET_X_FILE names a file that
// holds the value of SIGNET_X.
func readVariable(variable string, text *string, known map[string]given) (string, error) {
	key := keyOf(variable)
	if _, ok := known[key]; ok {
		return key, nil
	}
	if base, ok := strings.CutSuffix(key, "-file"); ok {
		if _, ok := known[base]; ok {
			content, err := readSmall(*text)
			if err != nil {
				return "", fmt.Errorf("%s: %w", variable, err)
			}
			*text = strings.TrimRight(content, "\r\n")
			return base, nil
		}
	}
	return "", fmt.Errorf("there is no setting %s: did you mean %s?", variable, variableOf(authz.Nearest(key, names(known))))
}

func keyOf(variable string) string {
	name := strings.TrimPrefix(variable, envPrefix)
	return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
}

func variableOf(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
}

func readSmall(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() > maxFileSize {
		return "", fmt.Errorf("%s is larger than 64 KiB", path)
	}
	content, err := os.ReadFile(path)
	return string(content), err
}
