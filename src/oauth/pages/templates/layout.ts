export const layout = `
<!doctype html>
<html lang="<%= it.language %>">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title><%= it.title %> · <%= it.domain %></title>
<style><%~ it.style %></style>
</head>
<body>
<main>
<p class="brand"><%= it.domain %></p>
<%~ it.body %>
</main>
</body>
</html>
`;
