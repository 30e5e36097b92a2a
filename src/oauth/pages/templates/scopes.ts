export const scopes = `
<ul class="scopes">
<% it.scope.forEach((scope) => { %>
<li><%= it.scopeText(scope) %></li>
<% }) %>
</ul>
`;
