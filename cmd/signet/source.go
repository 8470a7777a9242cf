package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/signet-auth/signet/authz"
)

const defaultFile = "signet.yaml"

// given is the text of a setting and where it was found.
type given struct {
	text string
	from string // "default", a file, a variable, a flag
}

// load reads the settings: a flag wins over the environment, which wins over the file. The
// error names the place and, for a name that is unknown, the nearest known one. It does
// not complete them.
func load(flags *pflag.FlagSet, environ []string) (*settings, map[string]given, error) {
	s := new(settings)
	table := s.table()
	found := map[string]given{}
	for _, one := range table {
		found[one.name] = given{one.fallback, "default"}
	}
	for _, read := range []func() (map[string]given, error){
		func() (map[string]given, error) { return fromFile(flags, environ, found) },
		func() (map[string]given, error) { return fromEnvironment(environ, found) },
		func() (map[string]given, error) { return fromFlags(flags) },
	} {
		layer, err := read()
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(found, layer)
	}
	for _, one := range table {
		g := found[one.name]
		if err := one.value.Set(g.text); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", place(one.name, g.from), err)
		}
	}
	return s, found, nil
}

// place says which setting is wrong, where it can be put right.
func place(name, from string) string {
	if strings.HasPrefix(from, envPrefix) || strings.HasPrefix(from, "--") {
		return from
	}
	return name + " in " + from
}

// configFile gives the path of the settings file, and whether somebody named it.
func configFile(flags *pflag.FlagSet, environ []string) (string, bool) {
	if f := flags.Lookup("config"); f != nil && f.Changed {
		return f.Value.String(), true
	}
	for _, pair := range environ {
		if path, ok := strings.CutPrefix(pair, envPrefix+"CONFIG="); ok && path != "" {
			return path, true
		}
	}
	return defaultFile, false
}

func fromFile(flags *pflag.FlagSet, environ []string, known map[string]given) (map[string]given, error) {
	path, named := configFile(flags, environ)
	k := koanf.New(".")
	err := k.Load(file.Provider(path), yaml.Parser())
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("settings file %s does not exist: name another with --config", path)
	case err != nil:
		return nil, fmt.Errorf("read settings file %s: %w", path, err)
	}
	out := map[string]given{}
	for _, key := range k.Keys() {
		if _, ok := known[key]; !ok {
			return nil, fmt.Errorf("%s: there is no setting %q: did you mean %q?", path, key, authz.Nearest(key, names(known)))
		}
		value, err := scalar(k.Get(key))
		if err != nil {
			return nil, fmt.Errorf("%s in %s: %w", key, path, err)
		}
		out[key] = given{value, path}
	}
	return out, nil
}

// scalar writes a YAML value as one would on the command line; a list gets commas.
func scalar(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	case []any:
		words := make([]string, len(v))
		for i, one := range v {
			word, err := scalar(one)
			if err != nil {
				return "", err
			}
			words[i] = word
		}
		return strings.Join(words, ","), nil
	}
	return "", errors.New("must be one value, or a list of values")
}

func fromFlags(flags *pflag.FlagSet) (map[string]given, error) {
	k := koanf.New(".")
	changed := posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		// A client has lifetimes too, of the same name: only flags for settings are ours.
		if _, ours := f.Value.(*flagText); !ours || !f.Changed {
			return "", nil
		}
		return f.Name, f.Value.String()
	})
	if err := k.Load(changed, nil); err != nil {
		return nil, fmt.Errorf("read flags: %w", err)
	}
	out := map[string]given{}
	for _, key := range k.Keys() {
		out[key] = given{k.String(key), "--" + key}
	}
	return out, nil
}

func names(known map[string]given) []string {
	out := make([]string, 0, len(known))
	for name := range known {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
