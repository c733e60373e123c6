// Package snapchat is the adapter of Snapchat's Public Profile API.
//
// A profile is looked up alone; where the app Secret names organisations, their pages
// answer many at once. Every answer has three levels of status, and a 200 can carry a
// failure: each level is read. The app's own grant rotates: a refresh token is spent
// by its use, so what came back is stored before it is used.
package snapchat
