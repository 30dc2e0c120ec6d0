// Package clientdoc reads Client ID Metadata Documents
// (draft-ietf-oauth-client-id-metadata-document-02): what an OAuth client whose id is the
// address of a document says of itself. Nobody has registered such a client, and nobody
// here vouches for what it says.
//
// [Cache] gets documents through the client that reaches public addresses alone, and
// keeps what is good; [Parse] says what is.
package clientdoc
