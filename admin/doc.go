// Package admin is the Go client of Cardea's management API.
//
// It imports the standard library only, besides the vocabulary in package cardea, so
// that a program which manages keys compiles no server and no database driver. Every
// operation of the API is one method of [Client]; lists are iterators that fetch page
// after page:
//
//	client, err := admin.New(admin.Config{URL: "http://127.0.0.1:8081", Token: token})
//	…
//	for key, err := range client.ListKeys(ctx, admin.KeyFilter{Organization: id}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(key.ID, key.Name, key.Status)
//	}
//
// An operation that the server refuses fails with an [*Error], which carries the
// answer's status and what is wrong with which member of the input. Secrets are of
// type [Secret] and print redacted.
package admin
