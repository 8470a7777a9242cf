package authz

// Nearest gives the known word that differs least from what somebody typed, the first of
// several.
func Nearest(typed string, known []string) string {
	best, least := "", -1
	for _, word := range known {
		if d := distance(typed, word); least < 0 || d < least {
			best, least = word, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
