package interaction

// OwnPath is tested and fuzzed by itself: it reads what strangers write.
var OwnPath = ownPath
