package adminapi

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
)

// What the document says of bodies is what the structures have, member by member.
func TestDocumentedBodiesHaveTheMembersOfTheirStructures(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		of       any
		readOnly []string
	}{
		"Client":         {Client{}, nil},
		"NewClient":      {newClientInput{}, nil},
		"ClientChange":   {clientInput{}, clientReadOnly()},
		"ClientSecret":   {ClientSecret{}, nil},
		"SecretRotation": {rotation{}, nil},
		"API":            {RegisteredAPI{}, nil},
		"NewAPI":         {newAPIInput{}, nil},
		"APIChange":      {apiFields{}, apiReadOnly()},
		"User":           {User{}, nil},
		"NewUser":        {newUserInput{}, nil},
		"UserChange":     {userFields{}, userReadOnly()},
		"Password":       {newPassword{}, nil},
		"Role":           {Role{}, nil},
		"NewRole":        {newRoleInput{}, nil},
		"RoleChange":     {roleFields{}, roleReadOnly()},
		"APIToken":       {APIToken{}, nil},
		"NewAPIToken":    {newTokenInput{}, nil},
		"TokenRotation":  {rotation{}, nil},
		"App":            {App{}, nil},
		"LeakReport":     {leakReport{}, nil},
		"Thanks":         {thanks{}, nil},
		"Problem":        {problem{}, nil},
		"Fault":          {fault{}, nil},
	} {
		want := append(slices.Collect(maps.Keys(membersOf(reflect.TypeOf(c.of)))), c.readOnly...)
		got := slices.Collect(maps.Keys(doc.Components.Schemas[name].Properties))
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\ndocumented %v\n       has %v", name, got, want)
		}
	}
}
