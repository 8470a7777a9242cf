package page

import (
	"net/http/httptest"
	"testing"
)

func TestEveryPageRendersEmpty(t *testing.T) {
	t.Parallel()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages() {
		if f, ok := p.(FormPost); ok {
			f.Action = "https://a.example/"
			p = f
		}
		if err := s.Write(httptest.NewRecorder(), 200, p); err != nil {
			t.Error(err)
		}
	}
}
